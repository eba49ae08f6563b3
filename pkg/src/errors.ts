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
  | "ERR_DISPOSED"
  | "ERR_BUG";

/** Whose fault a failure is. */
export type SessionErrorFault = "caller" | "server" | "network" | "environment" | "bug";

/**
 * The base of everything that Everfresh throws or rejects with. Messages say cause and remedy and
 * never hold a token.
 */
export class SessionError extends Error {
  /** What went wrong. */
  declare readonly code: SessionErrorCode;
  /** Whose fault it is. */
  declare readonly fault: SessionErrorFault;
  /** Whether the same call may succeed later. */
  declare readonly retryable: boolean;

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    ({ fault: this.fault, retryable: this.retryable } = kinds.get(code)!);
  }
}

/** A class for one code. */
export interface SessionErrorClass<C extends SessionErrorCode> {
  new (message: string, options?: ErrorOptions): SessionError & { readonly code: C };
  readonly prototype: SessionError & { readonly code: C };
}

/** Whether `value` is an error of Everfresh, of any copy of the package and of any realm. */
export function isSessionError(value: unknown): value is SessionError {
  const { code, fault } = Object(value) as Partial<SessionError>;
  return fault !== undefined && kinds.get(code!)?.fault === fault;
}

interface Kind {
  readonly fault: SessionErrorFault;
  readonly retryable: boolean;
}

const kinds = new Map<string, Kind>();

/** `NoExpiry` is the class NoExpiryError of the code ERR_NO_EXPIRY. */
function define<C extends SessionErrorCode>(
  words: string,
  fault: SessionErrorFault,
  retryable = false,
): SessionErrorClass<C> {
  const name = `${words}Error`;
  const code = `ERR${words.replace(/[A-Z]/g, "_$&").toUpperCase()}` as C;
  // Minified class names would say nothing.
  const { [name]: made } = {
    [name]: class extends SessionError {
      constructor(message: string, options?: ErrorOptions) {
        super(code, message, options);
      }
    },
  };
  made!.prototype.name = name;
  kinds.set(code, { fault, retryable });
  return made as never;
}

/** An option has a value that it cannot have. */
export const InvalidOptionError: SessionErrorClass<"ERR_INVALID_OPTION"> =
  define("InvalidOption", "caller");
/** A token cannot be used. */
export const InvalidTokenError: SessionErrorClass<"ERR_INVALID_TOKEN"> =
  define("InvalidToken", "caller");
/** Nothing says how long a token lives. */
export const NoExpiryError: SessionErrorClass<"ERR_NO_EXPIRY"> =
  define("NoExpiry", "caller");
/** Nobody is signed in. */
export const NotSignedInError: SessionErrorClass<"ERR_NOT_SIGNED_IN"> =
  define("NotSignedIn", "caller");
/** No valid token could be had in time; the session is kept. */
export const RefreshUnavailableError: SessionErrorClass<"ERR_REFRESH_UNAVAILABLE"> =
  define("RefreshUnavailable", "network", true);
/** The token endpoint did not answer in time; the session is kept. */
export const RefreshTimeoutError: SessionErrorClass<"ERR_REFRESH_TIMEOUT"> =
  define("RefreshTimeout", "network", true);
/** The token endpoint refused the refresh request itself. */
export const RefreshRejectedError: SessionErrorClass<"ERR_REFRESH_REJECTED"> =
  define("RefreshRejected", "server");
/** The token endpoint answered without a usable token; the session is kept. */
export const BadRefreshResponseError: SessionErrorClass<"ERR_BAD_REFRESH_RESPONSE"> =
  define("BadRefreshResponse", "server", true);
/** The server ended the session. A refresh function may throw it to say so. */
export const SignedOutByServerError: SessionErrorClass<"ERR_SIGNED_OUT_BY_SERVER"> =
  define("SignedOutByServer", "server");
/** A request cannot be sent again. */
export const NotReplayableError: SessionErrorClass<"ERR_NOT_REPLAYABLE"> =
  define("NotReplayable", "caller");
/** Storage cannot be used. */
export const StorageError: SessionErrorClass<"ERR_STORAGE"> =
  define("Storage", "environment");
/** A policy of the page forbids WebAssembly. */
export const WasmBlockedError: SessionErrorClass<"ERR_WASM_BLOCKED"> =
  define("WasmBlocked", "environment");
/** The WebAssembly could not be loaded; the next call tries again. */
export const WasmLoadError: SessionErrorClass<"ERR_WASM_LOAD"> =
  define("WasmLoad", "environment", true);
/** The session handle was disposed. */
export const DisposedError: SessionErrorClass<"ERR_DISPOSED"> =
  define("Disposed", "caller");
/** Everfresh has a bug; its cause says where. Nothing works any more until the page is loaded again. */
export const BugError: SessionErrorClass<"ERR_BUG"> = define("Bug", "bug");
