// Every failure has a stable code, says whose fault it is, and names cause and remedy.

/** What went wrong, for programs. Codes are stable; messages may change. */
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
  | "ERR_NOT_REPLAYABLE"
  | "ERR_STORAGE"
  | "ERR_WASM_BLOCKED"
  | "ERR_WASM_LOAD"
  | "ERR_DISPOSED";

/** Whose fault a failure is. */
export type SessionErrorFault = "caller" | "server" | "network" | "environment" | "bug";

/**
 * The base of everything that Everfresh throws or rejects with. Messages say cause and remedy and
 * never hold a token.
 */
export class SessionError extends Error {
  /** What went wrong. */
  readonly code: SessionErrorCode;
  /** Whose fault it is. */
  readonly fault: SessionErrorFault;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    const { fault, retryable } = kinds.get(code)!;
    this.fault = fault;
    this.retryable = retryable;
  }
}

/** A class for one code. */
export interface SessionErrorClass<C extends SessionErrorCode> {
  new (message: string, options?: ErrorOptions): SessionError & { readonly code: C };
  readonly prototype: SessionError & { readonly code: C };
}

/** Whether `value` is an error of Everfresh, of any copy of the package and of any realm. */
export function isSessionError(value: unknown): value is SessionError {
  if (typeof value !== "object" || value === null) return false;
  const { code, fault } = value as Partial<SessionError>;
  return fault !== undefined && kinds.get(code!)?.fault === fault;
}

interface Kind {
  readonly made: SessionErrorClass<SessionErrorCode>;
  readonly fault: SessionErrorFault;
  readonly retryable: boolean;
}

const kinds = new Map<SessionErrorCode, Kind>();

/** The error of a code, in the class of its own. @internal */
export function errorOf(
  code: SessionErrorCode,
  message: string,
  options?: ErrorOptions,
): SessionError {
  return new (kinds.get(code)!.made)(message, options);
}

function define<C extends SessionErrorCode>(
  code: C,
  fault: SessionErrorFault,
  retryable = false,
): SessionErrorClass<C> {
  // ERR_NO_EXPIRY is NoExpiryError: minified class names would say nothing.
  const words = code.slice(4).toLowerCase().replace(/(^|_)(.)/g, (_, _gap, c) => c.toUpperCase());
  const made = class extends SessionError {
    constructor(message: string, options?: ErrorOptions) {
      super(code, message, options);
    }
  };
  for (const named of [made, made.prototype]) {
    Object.defineProperty(named, "name", { value: `${words}Error` });
  }
  kinds.set(code, { made: made as never, fault, retryable });
  return made as never;
}

/** An option has a value that it cannot have. */
export const InvalidOptionError: SessionErrorClass<"ERR_INVALID_OPTION"> =
  define("ERR_INVALID_OPTION", "caller");
/** A token cannot be used. */
export const InvalidTokenError: SessionErrorClass<"ERR_INVALID_TOKEN"> =
  define("ERR_INVALID_TOKEN", "caller");
/** Nothing says how long a token lives. */
export const NoExpiryError: SessionErrorClass<"ERR_NO_EXPIRY"> =
  define("ERR_NO_EXPIRY", "caller");
/** Nobody is signed in. */
export const NotSignedInError: SessionErrorClass<"ERR_NOT_SIGNED_IN"> =
  define("ERR_NOT_SIGNED_IN", "caller");
/** No valid token could be had in time; the session is kept. */
export const RefreshUnavailableError: SessionErrorClass<"ERR_REFRESH_UNAVAILABLE"> =
  define("ERR_REFRESH_UNAVAILABLE", "network", true);
/** The token endpoint did not answer in time; the session is kept. */
export const RefreshTimeoutError: SessionErrorClass<"ERR_REFRESH_TIMEOUT"> =
  define("ERR_REFRESH_TIMEOUT", "network", true);
/** The token endpoint refused the refresh request itself. */
export const RefreshRejectedError: SessionErrorClass<"ERR_REFRESH_REJECTED"> =
  define("ERR_REFRESH_REJECTED", "server");
/** The token endpoint answered without a usable token; the session is kept. */
export const BadRefreshResponseError: SessionErrorClass<"ERR_BAD_REFRESH_RESPONSE"> =
  define("ERR_BAD_REFRESH_RESPONSE", "server", true);
/** The server ended the session. A refresh function may throw it to say so. */
export const SignedOutByServerError: SessionErrorClass<"ERR_SIGNED_OUT_BY_SERVER"> =
  define("ERR_SIGNED_OUT_BY_SERVER", "server");
/** A request cannot be sent again. */
export const NotReplayableError: SessionErrorClass<"ERR_NOT_REPLAYABLE"> =
  define("ERR_NOT_REPLAYABLE", "caller");
/** Storage cannot be used. */
export const StorageError: SessionErrorClass<"ERR_STORAGE"> =
  define("ERR_STORAGE", "environment");
/** A policy of the page forbids WebAssembly. */
export const WasmBlockedError: SessionErrorClass<"ERR_WASM_BLOCKED"> =
  define("ERR_WASM_BLOCKED", "environment");
/** The WebAssembly could not be loaded; the next call tries again. */
export const WasmLoadError: SessionErrorClass<"ERR_WASM_LOAD"> =
  define("ERR_WASM_LOAD", "environment", true);
/** The session handle was disposed. */
export const DisposedError: SessionErrorClass<"ERR_DISPOSED"> =
  define("ERR_DISPOSED", "caller");
