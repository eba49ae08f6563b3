// The snapshot of a session of which nothing is known yet.

import type { Snapshot } from "./types.ts";

/** Before `start` and `restore`, and on a server. @internal */
export const UNKNOWN: Snapshot = Object.freeze({
  status: "unknown",
  reason: null,
  claims: null,
  subject: null,
  generation: 0,
  expiresAt: null,
  refreshAt: null,
  idleAt: null,
  endsAt: null,
  secondsLeft: null,
  lastError: null,
});
