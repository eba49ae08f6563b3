/**
 * Keeps a signed-in user signed in, for exactly as long as they should be.
 *
 * @packageDocumentation
 */

export { decodeJwt } from "./decode.ts";
export {
  BadRefreshResponseError,
  BugError,
  DisposedError,
  InvalidOptionError,
  InvalidTokenError,
  isSessionError,
  NoExpiryError,
  NotReplayableError,
  NotSignedInError,
  RefreshRejectedError,
  RefreshTimeoutError,
  RefreshUnavailableError,
  SessionError,
  type SessionErrorClass,
  type SessionErrorCode,
  type SessionErrorFault,
  SignedOutByServerError,
  StorageError,
  WasmBlockedError,
  WasmLoadError,
} from "./errors.ts";
export { init, type WasmSource } from "./loading.ts";
export type {
  Logger,
  RefreshFunction,
  RefreshRequest,
  SessionOptions,
  TokenEndpoint,
  TokenStorage,
} from "./options.ts";
export { createSession } from "./session.ts";
export type * from "./types.ts";
