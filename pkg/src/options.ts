// The options of `createSession`: what they mean, and what they must be.

import type { Claims, RefreshReason, TokenResponse, TokenSet } from "./types.ts";

/** What the session does and how. Durations are in seconds. `undefined` is the default. */
export interface SessionOptions {
  /**
   * How to get new tokens: the URL of an OAuth token endpoint, more about one, or a function.
   *
   * @example refresh: { url: "/oauth/token", clientId: "web" }
   */
  readonly refresh: string | Address | TokenEndpoint | RefreshFunction;
  /**
   * Sessions of one name and origin are one session over all tabs ["default" in a page or worker;
   * elsewhere a session without a name is never shared].
   *
   * @example name: "admin"
   */
  readonly name?: string | undefined;
  /**
   * Refresh this long before expiry; a function is called again each cycle [60].
   *
   * @example leadSeconds: ({ role }) => (role === "admin" ? 30 : 60)
   */
  readonly leadSeconds?: number | ((claims: Claims) => number) | undefined;
  /**
   * Extra lead, drawn afresh each cycle from [0, jitter) [30].
   *
   * @example jitterSeconds: 0
   */
  readonly jitterSeconds?: number | undefined;
  /**
   * Floor between two scheduled refreshes [5].
   *
   * @example minIntervalSeconds: 10
   */
  readonly minIntervalSeconds?: number | undefined;
  /**
   * No user input in any tab for this long: no more refreshes [1800; Infinity without a DOM].
   *
   * @example idleSeconds: 15 * 60
   */
  readonly idleSeconds?: number | undefined;
  /**
   * "lapse": the access token runs out by itself; "end": the session ends at once ["lapse"].
   *
   * @example idleMode: "end"
   */
  readonly idleMode?: "lapse" | "end" | undefined;
  /**
   * `warning` event this long before an idle or maximum-age end [60].
   *
   * @example warnSeconds: 120
   */
  readonly warnSeconds?: number | undefined;
  /**
   * What extends a session during its warning: any input, or `touch()` alone, a button ["input"].
   *
   * @example extendOn: "touch"
   */
  readonly extendOn?: "input" | "touch" | undefined;
  /**
   * Absolute limit from sign-in [Infinity].
   *
   * @example maxSessionSeconds: 12 * 3_600
   */
  readonly maxSessionSeconds?: number | undefined;
  /**
   * DOM events that count as user input.
   *
   * @example activityEvents: ["pointerdown", "keydown"]
   */
  readonly activityEvents?: readonly string[] | undefined;
  /**
   * The only origins that ever get the token [the page's own].
   *
   * @example origins: [location.origin, "https://api.example.com"]
   */
  readonly origins?: readonly (string | URL)[] | undefined;
  /**
   * Where tokens live between page loads ["memory"].
   *
   * @example storage: "local"
   */
  readonly storage?: "memory" | "session" | "local" | TokenStorage | undefined;
  /**
   * Bound of one refresh attempt [10].
   *
   * @example timeoutSeconds: 5
   */
  readonly timeoutSeconds?: number | undefined;
  /**
   * How long a request may wait for a token, retries included [30].
   *
   * @example waitSeconds: 10
   */
  readonly waitSeconds?: number | undefined;
  /**
   * Which responses mean that the token is no longer good; read the body of a clone only [401].
   *
   * @example isUnauthorized: ({ status }) => status === 401 || status === 419
   */
  readonly isUnauthorized?: ((response: Response) => boolean | Promise<boolean>) | undefined;
  /**
   * Adopt a token that a response of an allowed origin carries in this header [none].
   *
   * @example renewalHeader: "X-JWT"
   */
  readonly renewalHeader?: string | undefined;
  /**
   * Transport [globalThis.fetch, looked up at each call].
   *
   * @example fetch: (input, init) => fetch(input, { ...init, priority: "high" })
   */
  readonly fetch?: typeof fetch | undefined;
  /**
   * Hears what goes on; never a token [none].
   *
   * @example logger: console
   */
  readonly logger?: Logger | undefined;
}

/**
 * A `URL`; so written, an editor that completes `refresh: {}` begins with {@link TokenEndpoint}.
 *
 * @example
 * const refresh: Address = new URL("/oauth/token", "https://auth.example.com");
 * console.log(refresh.href);
 */
export interface Address {
  /**
   * The address as text.
   *
   * @deprecated to write by hand: pass the `URL` itself, or its address as a text
   */
  readonly href: string;
}

/** An HTTP endpoint that issues tokens. */
export interface TokenEndpoint {
  /**
   * Where it is.
   *
   * @example url: "https://auth.example.com/oauth/token"
   */
  readonly url: string | URL;
  /**
   * "oauth2": form with `grant_type=refresh_token`. "json": `{refresh_token}`. "cookie": no body,
   * credentials and `X-Everfresh: 1`. "cookies": the same, with both tokens in cookies that no script
   * sees. "renew": the valid access token as bearer ["oauth2"].
   *
   * @example style: "cookie"
   */
  readonly style?: "oauth2" | "json" | "cookie" | "cookies" | "renew" | undefined;
  /**
   * `client_id`, for oauth2 and json.
   *
   * @example clientId: "web"
   */
  readonly clientId?: string | undefined;
  /**
   * Further request headers.
   *
   * @example headers: { "X-Tenant": "acme" }
   */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * As in `fetch` ["include" for cookie and cookies, "same-origin" else].
   *
   * @example credentials: "include"
   */
  readonly credentials?: "omit" | "same-origin" | "include" | undefined;
  /**
   * Where sign-out revokes: RFC 7009 for oauth2 and json; for the others a logout endpoint, called
   * with the access token, if the page has one, as bearer and, on the page's own origin, with
   * `X-Everfresh: 1`. `signOut({ everywhere: true })` adds the parameter `everywhere=true`. Without it sign-out ends the session in the browser only.
   *
   * @example revokeUrl: "/oauth/revoke"
   */
  readonly revokeUrl?: string | URL | undefined;
  /**
   * Further body parameters. A function places the refresh token itself, under the service's own name
   * for it: with json nothing else is sent but `client_id`.
   *
   * @example params: (refreshToken) => ({ refreshToken, mode: "json" })
   */
  readonly params?:
    | Readonly<Record<string, string>>
    | ((refreshToken: string) => Readonly<Record<string, string>>)
    | undefined;
  /**
   * "GET" is for cookie, cookies and renew, and has no body ["POST"].
   *
   * @example method: "GET"
   */
  readonly method?: "POST" | "GET" | undefined;
  /**
   * How the rotation key travels: the parameter `rotation_key`, the header `Idempotency-Key`, or not
   * at all ["param" for oauth2, "off" for json; for the others "header" on the page's own origin and
   * "off" elsewhere].
   *
   * @example rotationKey: "header"
   */
  readonly rotationKey?: "param" | "header" | "off" | undefined;
  /**
   * Makes a token set of an answer of another shape. Without an access token in it the answer is
   * judged as it came.
   *
   * @param body - parsed, if it is JSON, else the text
   * @param response - its status and headers; its body is used up
   * @example tokens: ({ data }) => ({ accessToken: data?.token, refreshToken: data?.refresh })
   */
  readonly tokens?:
    | ((body: any, response: Response) => TokenSet | TokenResponse | string | null | undefined)
    | undefined;
  /**
   * Overrides what an answer is taken for; `undefined` leaves it to the usual rules.
   *
   * @example classify: ({ status }, { code }) => (status === 400 && code === "LOCKED" ? "refused" : undefined)
   */
  readonly classify?: ((response: Response, body: any) => Verdict | undefined) | undefined;
}

/**
 * What an answer of a token endpoint is: "transient" says nothing about the session.
 *
 * @example const stolen: Verdict = { refused: "reuse" };
 */
export type Verdict =
  | "granted"
  | "transient"
  | "refused"
  | {
      /** The reason that the session ends with. */
      readonly refused: "revoked" | "reuse" | "login-required";
    };

/**
 * What a refresh function is given.
 *
 * @example
 * const refresh: RefreshFunction = async (request) => {
 *   const { accessToken, refreshToken, claims, rotationKey, reason, lastActivityAt, signal, fetch } = request;
 *   const body = JSON.stringify({ refreshToken, reason, idle: Date.now() - lastActivityAt, user: claims?.sub });
 *   const headers = { "Idempotency-Key": rotationKey, Authorization: `Bearer ${accessToken}` };
 *   const response = await fetch("/refresh", { method: "POST", headers, body, signal });
 *   if (response.status === 401) throw new SignedOutByServerError("the session is over");
 *   if (!response.ok) throw new Error(`status ${response.status}`); // is tried again
 *   return response.json();
 * };
 */
export interface RefreshRequest {
  /** The current access token, while there is one. */
  readonly accessToken: string | undefined;
  /** The refresh token, if the page holds one. */
  readonly refreshToken: string | undefined;
  /** The current claims. */
  readonly claims: Claims | null;
  /** The same on every retry of one rotation, in whatever tab. */
  readonly rotationKey: string;
  /** Why. */
  readonly reason: RefreshReason;
  /** Last user input, epoch milliseconds. */
  readonly lastActivityAt: number;
  /** Aborted when the answer is no longer wanted. */
  readonly signal: AbortSignal;
  /** The plain transport. The session's own `fetch` would wait for this very refresh. */
  readonly fetch: typeof fetch;
}

/**
 * Gets new tokens. What it throws is transient, unless it has `terminal: true` or is a
 * `SignedOutByServerError`.
 *
 * @example
 * const refresh: RefreshFunction = async ({ refreshToken, signal, fetch }) => {
 *   const response = await fetch("/refresh", { method: "POST", body: refreshToken ?? "", signal });
 *   return response.json();
 * };
 */
export type RefreshFunction = (
  request: RefreshRequest,
) => Promise<string | TokenSet | TokenResponse> | string | TokenSet | TokenResponse;

/**
 * A place for texts, synchronous or not.
 *
 * @example
 * const kept = new Map<string, string>();
 * const storage: TokenStorage = {
 *   get: (key) => kept.get(key) ?? null,
 *   set: (key, value) => kept.set(key, value),
 *   remove: (key) => kept.delete(key),
 * };
 */
export interface TokenStorage {
  /** The value of a key; null when there is none. */
  get(key: string): string | null | undefined | Promise<string | null | undefined>;
  /** Stores a value. */
  set(key: string, value: string): unknown;
  /** Forgets a key. */
  remove(key: string): unknown;
}

/**
 * Where log lines go; `console` is one.
 *
 * @example
 * const logger: Logger = {
 *   debug: () => {},
 *   info: (message, details) => console.info(message, details),
 *   warn: (message, details) => console.warn(message, details),
 *   error: (message, details) => console.error(message, details),
 * };
 */
export interface Logger {
  /** What happens as it should. */
  debug(message: string, details?: unknown): void;
  /** What is worth knowing. */
  info(message: string, details?: unknown): void;
  /** What should be looked at. */
  warn(message: string, details?: unknown): void;
  /** What is broken. */
  error(message: string, details?: unknown): void;
}

/** The options as they are read; those that have a default are there. @internal */
export interface Parsed {
  readonly refresh: Endpoint;
  readonly name: string | undefined;
  readonly leadSeconds: number | ((claims: Claims) => number);
  readonly jitterSeconds: number;
  readonly minIntervalSeconds: number;
  readonly idleSeconds: number;
  readonly idleMode: string | undefined;
  readonly warnSeconds: number;
  readonly extendOn: string | undefined;
  readonly maxSessionSeconds: number;
  readonly timeoutSeconds: number;
  readonly waitSeconds: number;
  readonly activityEvents: readonly string[];
  readonly storage: string | TokenStorage;
  /** Undefined: the page's own. */
  readonly origins: readonly string[] | undefined;
  readonly isUnauthorized: ((response: Response) => boolean | Promise<boolean>) | undefined;
  readonly renewalHeader: string | undefined;
  readonly fetch: typeof fetch | undefined;
  readonly logger: Logger | undefined;
}

/** What everything else uses. @internal */
export interface Settings extends Parsed {
  /** What src/npm/settings.rs reads; durations in milliseconds. */
  readonly engine: Readonly<Record<string, unknown>>;
}

/** Where refreshes go: a function, or an address and more. @internal */
export interface Endpoint {
  /** "function" beside those of {@link TokenEndpoint}. */
  readonly style: string;
  readonly call?: (request: object) => unknown;
  readonly url?: string | URL;
  readonly method?: string | undefined;
  readonly clientId?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly credentials?: "omit" | "same-origin" | "include" | undefined;
  readonly revokeUrl?: string | URL | undefined;
  readonly params?: Readonly<Record<string, string>> | ((token: string) => unknown) | undefined;
  readonly rotationKey?: string | undefined;
  readonly tokens?: ((body: unknown, response: Response) => unknown) | undefined;
  readonly classify?: ((response: Response, body: unknown) => unknown) | undefined;
}
