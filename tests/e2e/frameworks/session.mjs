import { createSession } from "everfresh";

export const session = createSession({
  refresh: { url: "/oauth/token", revokeUrl: "/oauth/revoke" },
  name: "frameworks",
  leadSeconds: 2,
  jitterSeconds: 0,
});
void session.restore();
globalThis.session = session;
