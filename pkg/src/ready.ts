// What guards of every framework ask of a session.

import type { Session, Snapshot } from "./types.ts";

const restoring = new WeakMap<Session, Promise<Snapshot>>();

/**
 * Whether a user is signed in: also while the token is being replaced or the end is near.
 *
 * @example if (isSignedIn(session.snapshot)) console.log("signed in");
 */
export const isSignedIn = ({ status }: Snapshot): boolean => /^(active|stale|warning)$/.test(status);

/**
 * The snapshot once it is known who is there; restores the session if that was not done yet, never twice.
 *
 * @example const { status, claims } = await ready(session);
 */
export function ready(session: Session): Promise<Snapshot> {
  const { snapshot } = session;
  if (snapshot.status !== "unknown") return Promise.resolve(snapshot);
  const begun = restoring.get(session);
  if (begun) return begun;
  const restored = session.restore().finally(() => restoring.delete(session));
  restoring.set(session, restored);
  return restored;
}

/** Whether there is a page; a server that renders has none, and restores nothing. @internal */
export const hasPage = (): boolean => typeof document !== "undefined";
