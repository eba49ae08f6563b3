// ky: its requests through a session.

import type { Session } from "../types.ts";

/**
 * Options for `ky.extend` or `ky.create`. A 401 is healed by the session and never by ky's retries:
 * the one that ky sees is final.
 *
 * @example const api = ky.extend(sessionOptions(session));
 */
export function sessionOptions(session: Session): {
  /** The session's. */
  fetch: typeof fetch;
  /** How ky retries. */
  retry: {
    /** Says no to a 401, and leaves all others to ky. */
    shouldRetry(state: { error: Error }): false | undefined;
  };
} {
  return {
    fetch: session.fetch,
    retry: {
      shouldRetry: ({ error }) =>
        (error as { response?: Response }).response?.status === 401 ? false : undefined,
    },
  };
}
