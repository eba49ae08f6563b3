// Every failure has a stable code, says whose fault it is, and names cause and remedy.

/**
 * What went wrong, for programs. Codes are stable; messages may change.
 *
 * @example const offline: SessionErrorCode = "ERR_REFRESH_UNAVAILABLE";
 */
export type SessionErrorCode =
  | "ERR_INVALID_OPTION"
  | "ERR_INVALID_TOKEN"
  | "ERR_NO_EXPIRY"
  | "ERR_NOT_SIGNED_IN"
  | "ERR_REFRESH_UNAVAILABLE"
  | "ERR_REFRESH_TIMEOUT"
  | "ERR_REFRESH_REJECTED"
  | "ERR_BAD_REFRESH_RESPONSE"
  | "ERR_SIGNED_OUT_BY_SERVER"
  | "ERR_WASM_BLOCKED"
  | "ERR_WASM_LOAD"
  | "ERR_DISPOSED"
  | "ERR_BUG";

/**
 * Whose fault a failure is.
 *
 * @example const faults: SessionErrorFault[] = ["caller", "server", "network", "environment", "bug"];
 */
export type SessionErrorFault = "caller" | "server" | "network" | "environment" | "bug";

/**
 * The base of everything that Everfresh throws or rejects with. Messages say cause and remedy and
 * never hold a token.
 *
 * @example if (error instanceof SessionError) console.warn(error.code, error.fault, error.retryable, error.message);
 */
export class SessionError extends Error {
  /** What went wrong. */
  readonly code: SessionErrorCode;
  /** Whose fault it is. */
  readonly fault: SessionErrorFault;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /**
   * Where a refresh failed of an answer: its HTTP status; 0 for a redirect.
   *
   * @example if (isSessionError(error) && error.status === 429) console.warn("too many refreshes");
   */
  readonly status?: number;
  /**
   * The code of the error in that answer, as it came; empty when there is none.
   *
   * @example if (isSessionError(error) && error.error === "invalid_client") console.error("check clientId");
   */
  readonly error?: string;
  /**
   * Its `error_description`; empty when there is none.
   *
   * @example if (isSessionError(error)) console.warn(error.error, error.errorDescription);
   */
  readonly errorDescription?: string;

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    [this.fault, this.retryable] = KINDS[code]!;
  }
}

/**
 * Whether `value` is an error of Everfresh, of any copy of the package and of any realm.
 *
 * @example if (isSessionError(error) && error.code === "ERR_NOT_SIGNED_IN") location.assign("/login");
 */
export function isSessionError(value: unknown): value is SessionError {
  const { code, fault } = Object(value) as Partial<SessionError>;
  return fault !== undefined && KINDS[code!]?.[0] === fault;
}

/**
 * An option has a value that it cannot have.
 *
 * @example if (error instanceof InvalidOptionError) console.error(error.message); // the option, its value, the remedy
 */
export class InvalidOptionError extends SessionError {
  declare readonly code: "ERR_INVALID_OPTION";
  static {
    // Minified names of classes would say nothing.
    this.prototype.name = "InvalidOptionError";
  }
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_INVALID_OPTION", message, options);
  }
}

/**
 * A token cannot be used.
 *
 * @example if (error instanceof InvalidTokenError) console.error("the login answered with no usable token");
 */
export class InvalidTokenError extends SessionError {
  declare readonly code: "ERR_INVALID_TOKEN";
  static {
    this.prototype.name = "InvalidTokenError";
  }
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_INVALID_TOKEN", message, options);
  }
}

/**
 * Nothing says how long a token lives.
 *
 * @example if (error instanceof NoExpiryError) session.start({ accessToken: "opaque", expiresIn: 300 });
 */
export class NoExpiryError extends SessionError {
  declare readonly code: "ERR_NO_EXPIRY";
  static {
    this.prototype.name = "NoExpiryError";
  }
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_NO_EXPIRY", message, options);
  }
}

/**
 * No user is signed in.
 *
 * @example if (error instanceof NotSignedInError) location.assign("/login");
 */
export class NotSignedInError extends SessionError {
  declare readonly code: "ERR_NOT_SIGNED_IN";
  static {
    this.prototype.name = "NotSignedInError";
  }
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_NOT_SIGNED_IN", message, options);
  }
}

/**
 * No valid token could be had in time; the session is kept.
 *
 * @example if (error instanceof RefreshUnavailableError) console.warn("offline? try again later", error.cause);
 */
export class RefreshUnavailableError extends SessionError {
  declare readonly code: "ERR_REFRESH_UNAVAILABLE";
  static {
    this.prototype.name = "RefreshUnavailableError";
  }
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_REFRESH_UNAVAILABLE", message, options);
  }
}

/**
 * The token endpoint did not answer in time; the session is kept.
 *
 * @example if (session.snapshot.lastError instanceof RefreshTimeoutError) console.warn("the token service is slow");
 */
export class RefreshTimeoutError extends SessionError {
  declare readonly code: "ERR_REFRESH_TIMEOUT";
  static {
    this.prototype.name = "RefreshTimeoutError";
  }
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_REFRESH_TIMEOUT", message, options);
  }
}

/**
 * The token endpoint refused the refresh request itself.
 *
 * @example if (error instanceof RefreshRejectedError) console.error(error.status, error.error);
 */
export class RefreshRejectedError extends SessionError {
  declare readonly code: "ERR_REFRESH_REJECTED";
  static {
    this.prototype.name = "RefreshRejectedError";
  }
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_REFRESH_REJECTED", message, options);
  }
}

/**
 * The token endpoint answered without a usable token; the session is kept.
 *
 * @example if (session.snapshot.lastError instanceof BadRefreshResponseError) console.error("option `tokens` may be needed");
 */
export class BadRefreshResponseError extends SessionError {
  declare readonly code: "ERR_BAD_REFRESH_RESPONSE";
  static {
    this.prototype.name = "BadRefreshResponseError";
  }
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_BAD_REFRESH_RESPONSE", message, options);
  }
}

/**
 * The server ended the session. A refresh function may throw it to say so.
 *
 * @example throw new SignedOutByServerError("the account was closed");
 */
export class SignedOutByServerError extends SessionError {
  declare readonly code: "ERR_SIGNED_OUT_BY_SERVER";
  static {
    this.prototype.name = "SignedOutByServerError";
  }
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_SIGNED_OUT_BY_SERVER", message, options);
  }
}

/**
 * A policy of the page forbids WebAssembly, and what stands in for it is missing.
 *
 * @example if (error instanceof WasmBlockedError) console.error("script-src lacks 'wasm-unsafe-eval'");
 */
export class WasmBlockedError extends SessionError {
  declare readonly code: "ERR_WASM_BLOCKED";
  static {
    this.prototype.name = "WasmBlockedError";
  }
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_WASM_BLOCKED", message, options);
  }
}

/**
 * The engine could not be loaded; the next call tries again.
 *
 * @example if (error instanceof WasmLoadError) console.error("is everfresh_bg.wasm served?", error.cause);
 */
export class WasmLoadError extends SessionError {
  declare readonly code: "ERR_WASM_LOAD";
  static {
    this.prototype.name = "WasmLoadError";
  }
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_WASM_LOAD", message, options);
  }
}

/**
 * The session handle was disposed.
 *
 * @example if (!(error instanceof DisposedError)) throw error;
 */
export class DisposedError extends SessionError {
  declare readonly code: "ERR_DISPOSED";
  static {
    this.prototype.name = "DisposedError";
  }
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_DISPOSED", message, options);
  }
}

/**
 * Everfresh has a bug; `cause` says where. Nothing works until the page is loaded again.
 *
 * @example if (error instanceof BugError) location.reload();
 */
export class BugError extends SessionError {
  declare readonly code: "ERR_BUG";
  static {
    this.prototype.name = "BugError";
  }
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_BUG", message, options);
  }
}

type ErrorClass = new (message: string, options?: ErrorOptions) => SessionError;

/**
 * Whose fault it is, whether the same call may succeed later, and the class.
 *
 * @internal
 */
export const KINDS: Readonly<Record<SessionErrorCode, readonly [SessionErrorFault, boolean, ErrorClass]>> = {
  ERR_INVALID_OPTION: ["caller", false, InvalidOptionError],
  ERR_INVALID_TOKEN: ["caller", false, InvalidTokenError],
  ERR_NO_EXPIRY: ["caller", false, NoExpiryError],
  ERR_NOT_SIGNED_IN: ["caller", false, NotSignedInError],
  ERR_REFRESH_UNAVAILABLE: ["network", true, RefreshUnavailableError],
  ERR_REFRESH_TIMEOUT: ["network", true, RefreshTimeoutError],
  ERR_REFRESH_REJECTED: ["server", false, RefreshRejectedError],
  ERR_BAD_REFRESH_RESPONSE: ["server", true, BadRefreshResponseError],
  ERR_SIGNED_OUT_BY_SERVER: ["server", false, SignedOutByServerError],
  ERR_WASM_BLOCKED: ["environment", false, WasmBlockedError],
  ERR_WASM_LOAD: ["environment", true, WasmLoadError],
  ERR_DISPOSED: ["caller", false, DisposedError],
  ERR_BUG: ["bug", false, BugError],
};
