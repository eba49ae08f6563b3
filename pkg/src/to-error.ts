// From what the engine reports, a code and words, to the class of the code.

import { pageOrigin } from "./allowed-origins.ts";
import { BugError, KINDS, SessionError, type SessionErrorCode } from "./errors.ts";

/** What the engine reports: src/core/error.rs has the words. @internal */
export interface Failure {
  readonly code?: SessionErrorCode;
  readonly message: string;
  /** What the endpoint answered, if the failure comes of that. */
  readonly answer?: Pick<SessionError, "status" | "error" | "errorDescription"> | null;
}

/**
 * The error of what the engine reports or throws.
 *
 * @param cause - why the last refresh failed, if something was thrown
 * @param foreign - the token endpoint is of another origin than the page; undefined for a function
 * @internal
 */
export function toError(failure: unknown, cause?: unknown, foreign?: boolean): SessionError {
  if (failure instanceof SessionError) return failure;
  const { code, message, answer } = failure as Failure;
  const options = cause === undefined ? undefined : { cause };
  const hint =
    code === "ERR_REFRESH_TIMEOUT" && foreign === undefined
      ? "; maybe the refresh function waits for its own session"
      : remedy(answer?.error, foreign && cause instanceof TypeError);
  const text = message + answered(answer) + hint;
  return Object.assign(new (KINDS[code!]?.[2] ?? BugError)(text, options), answer);
}

const answered = (answer: Failure["answer"]): string =>
  answer?.status ? ` (the token endpoint answered ${`${answer.status} ${answer.error ?? ""}`.trim()})` : "";

/** What looks like trouble, or like the end, and is a set-up that the developer can mend. */
function remedy(error: string | undefined, silent: boolean | undefined): string {
  const allow = `allow the origin ${pageOrigin()} there (everfresh-server: --allow-origin)`;
  if (error === "csrf") return `; it protects its cookie: ${allow}, and send it X-Everfresh: 1 by refresh.headers`;
  return silent ? `; it is of another origin: if it is up, CORS is in the way: ${allow}` : "";
}
