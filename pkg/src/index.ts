/**
 * Keeps a signed-in user signed in, for exactly as long as they should be.
 *
 * @packageDocumentation
 */

export {
  BadRefreshResponseError,
  BugError,
  DisposedError,
  InvalidOptionError,
  InvalidTokenError,
  isSessionError,
  NoExpiryError,
  NotSignedInError,
  RefreshRejectedError,
  RefreshTimeoutError,
  RefreshUnavailableError,
  SessionError,
  type SessionErrorCode,
  type SessionErrorFault,
  SignedOutByServerError,
  WasmBlockedError,
  WasmLoadError,
} from "./errors.ts";
export { decodeJwt } from "./jwt.ts";
export { init, type WasmSource } from "./loading.ts";
export type {
  Address,
  Logger,
  RefreshFunction,
  RefreshRequest,
  SessionOptions,
  TokenEndpoint,
  TokenStorage,
  Verdict,
} from "./options.ts";
export { isSignedIn, ready } from "./ready.ts";
export { safeReturnTo } from "./return-to.ts";
export { createSession } from "./session.ts";
export type * from "./types.ts";
