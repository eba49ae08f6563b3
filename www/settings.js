// The demo's session: everything that users see for half an hour, in a minute.

/** Refresh this long before expiry. */
export const LEAD = 5;
/** And up to this much earlier, drawn anew for each token. */
export const JITTER = 3;
/** No input for this long: no more refreshes. */
export const IDLE = 60;

/** When the next refresh comes, if one does: not after expiry, and not for somebody idle. */
export function nextRefresh({ refreshAt, expiresAt, idleAt }) {
  if (refreshAt === null || refreshAt >= expiresAt) return null;
  return idleAt !== null && refreshAt >= idleAt ? null : refreshAt;
}

/** The options of `createSession`, but for the transport. */
export const options = {
  name: "demo",
  refresh: { url: "/oauth/token", style: "oauth2", revokeUrl: "/oauth/revoke" },
  leadSeconds: LEAD,
  jitterSeconds: JITTER,
  minIntervalSeconds: 1,
  idleSeconds: IDLE,
  warnSeconds: 15,
  storage: "session",
};
