// From what the engine reports, a code and words, to the class of the code.

import {
  BadRefreshResponseError,
  BugError,
  DisposedError,
  InvalidTokenError,
  NoExpiryError,
  NotSignedInError,
  RefreshRejectedError,
  RefreshTimeoutError,
  RefreshUnavailableError,
  SessionError,
  SignedOutByServerError,
} from "./errors.ts";

/** What the engine reports: src/core/error.rs has the words. @internal */
export interface Failure {
  readonly code: string;
  readonly message: string;
  /** What the endpoint answered, if the failure comes of that. */
  readonly answer?: Pick<SessionError, "status" | "error" | "errorDescription"> | null;
}

/**
 * The error of what the engine reports or throws.
 *
 * @param cause - why the last refresh failed, if something was thrown
 * @internal
 */
export function toError(failure: unknown, cause?: unknown): SessionError {
  if (failure instanceof SessionError) return failure;
  const { code, message, answer } = failure as Failure;
  const options = cause === undefined ? undefined : { cause };
  return Object.assign(new (CLASSES[code] ?? BugError)(message, options), answer);
}

const CLASSES: Readonly<
  Record<string, (new (message: string, options?: ErrorOptions) => SessionError) | undefined>
> = {
  ERR_INVALID_TOKEN: InvalidTokenError,
  ERR_NO_EXPIRY: NoExpiryError,
  ERR_NOT_SIGNED_IN: NotSignedInError,
  ERR_REFRESH_UNAVAILABLE: RefreshUnavailableError,
  ERR_REFRESH_TIMEOUT: RefreshTimeoutError,
  ERR_REFRESH_REJECTED: RefreshRejectedError,
  ERR_BAD_REFRESH_RESPONSE: BadRefreshResponseError,
  ERR_SIGNED_OUT_BY_SERVER: SignedOutByServerError,
  ERR_DISPOSED: DisposedError,
};
