// What the wasm reports by number: the class, and cause and remedy in words.

import {
  BadRefreshResponseError,
  DisposedError,
  InvalidTokenError,
  NoExpiryError,
  NotSignedInError,
  RefreshRejectedError,
  RefreshTimeoutError,
  RefreshUnavailableError,
  SignedOutByServerError,
  type SessionError,
  type SessionErrorClass,
  type SessionErrorCode,
} from "./errors.ts";

/**
 * The error of a number, in the class of its own; without a number there is none.
 *
 * @param cause - why the last refresh failed, if something was thrown
 * @internal
 */
export function errorOf(number?: number, cause?: unknown): SessionError | undefined {
  if (!number) return undefined;
  const [made, message] = failures[number - 1]!;
  return new made(message, cause && number > NOT_SIGNED_IN ? { cause } : undefined);
}

type Failure = readonly [SessionErrorClass<SessionErrorCode>, string];

// In the order of src/core/error.rs, which begins with 1; the first six are flaws of decode.ts.
const failures: readonly Failure[] = [
  [InvalidTokenError, "the token is longer than 1 MiB: pass it as the server sent it"],
  [InvalidTokenError,
    "a JWT has three segments with dots between: pass it as the server sent it"],
  [InvalidTokenError, "a segment of the JWT is not base64url: pass it as the server sent it"],
  [InvalidTokenError, "a segment of the JWT is not UTF-8: pass it as the server sent it"],
  [InvalidTokenError, "a segment of the JWT is not a JSON object: pass it as the server sent it"],
  [InvalidTokenError,
    "exp, iat, nbf, session_expiry or sub of the JWT has the wrong type: correct the server"],
  [InvalidTokenError, "no access_token in printable ASCII: pass the response as the server sent it"],
  [InvalidTokenError,
    "nbf of the JWT is not before its exp: it is never valid, correct the server"],
  [NoExpiryError,
    "nothing says how long the token lives: pass expiresIn (seconds) beside it"],
  [NotSignedInError,
    "nobody is signed in: call start() or await restore() first; snapshot.reason says why a " +
      "session ended"],
  [RefreshUnavailableError,
    "no valid token in time: no network, no refresh token, or token endpoint down; " +
      "the session is kept, try again later"],
  [RefreshTimeoutError,
    "the token endpoint did not answer within timeoutSeconds; the session is kept, the " +
      "refresh is repeated"],
  [RefreshRejectedError,
    "the token endpoint refused the request: check url, style and clientId; the " +
      "session has ended, sign in again"],
  [BadRefreshResponseError,
    "the token endpoint answered without a usable token: it must return JSON with " +
      "access_token and exp or expires_in; the session is kept, the refresh is repeated"],
  [SignedOutByServerError,
    "the server ended the session: snapshot.reason says why; sign in again"],
  [DisposedError, "this session was disposed: call createSession() again"],
];

/** The number of its failure; what comes after it is owed to a refresh. @internal */
export const NOT_SIGNED_IN = 10;

/** The number of the failure of every call that comes after `dispose`. @internal */
export const DISPOSED = 16;
