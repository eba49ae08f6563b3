// The shapes of the public API.

import type { SessionError } from "./errors.ts";

/** The claims of a decoded access token, frozen deeply. */
export interface Claims {
  /** Issuer. */
  readonly iss?: string;
  /** Subject: the user. */
  readonly sub?: string;
  /** Audience. */
  readonly aud?: string | readonly string[];
  /** Expiry, seconds since the epoch. */
  readonly exp?: number;
  /** Not valid before, seconds since the epoch. */
  readonly nbf?: number;
  /** Issued at, seconds since the epoch. */
  readonly iat?: number;
  /** Token identifier. */
  readonly jti?: string;
  /** Whatever else the server says. */
  readonly [claim: string]: unknown;
}

/** What a login or a refresh brought. Durations are in seconds. */
export interface TokenSet {
  /**
   * The access token: a JWT or an opaque one; a leading `Bearer ` is taken off. Without it the session
   * starts with one refresh; with style cookies there is none.
   */
  readonly accessToken?: string | null | undefined;
  /** Absent, null or empty keeps the one before. */
  readonly refreshToken?: string | null | undefined;
  /**
   * How long the access token lives from now. Of it, `expiresAt` and the `exp` claim the shortest
   * counts; without any the token is used until a 401.
   */
  readonly expiresIn?: number | undefined;
  /** When the access token ends, in seconds since the epoch by the server's clock. */
  readonly expiresAt?: number | undefined;
  /** When to refresh, from now; replaces the lead. */
  readonly refreshIn?: number | undefined;
  /** When the session ends for good, from now. */
  readonly sessionExpiresIn?: number | undefined;
}

/** A token response as RFC 6749 section 5.1 writes it. */
export interface TokenResponse {
  /** As {@link TokenSet.accessToken}. */
  readonly access_token?: string | null | undefined;
  /** As {@link TokenSet.refreshToken}. */
  readonly refresh_token?: string | null | undefined;
  /** As {@link TokenSet.expiresIn}. */
  readonly expires_in?: number | undefined;
  /** As {@link TokenSet.expiresAt}. */
  readonly expires_at?: number | undefined;
  /** `Bearer`, in any case. */
  readonly token_type?: string | null | undefined;
  /** As {@link TokenSet.refreshIn}. */
  readonly refresh_in?: number | undefined;
  /** As {@link TokenSet.sessionExpiresIn}. */
  readonly session_expires_in?: number | undefined;
  /** Everything else is ignored. */
  readonly [member: string]: unknown;
}

/** Why a refresh was begun. */
export type RefreshReason =
  | "scheduled"
  | "unauthorized"
  | "demanded"
  | "explicit"
  | "wake"
  | "restore";

/** Why a session is over. */
export type EndReason =
  | "none"
  | "cancelled"
  | "signed-out"
  | "idle"
  | "max-age"
  | "revoked"
  | "reuse"
  | "login-required"
  | "subject-changed"
  | "invalid-token"
  | "corrupt-storage";

/** How a session stands. */
export type Status = "unknown" | "active" | "stale" | "warning" | "signed-out";

/**
 * A picture of the session: frozen, and the same object until something changes. Times are epoch
 * milliseconds of the local clock.
 */
export interface Snapshot {
  /**
   * `unknown` before `start` or `restore`; `stale` when the access token is gone and the server
   * has not said no: refreshing goes on.
   */
  readonly status: Status;
  /** Why it is over; null while it is not. */
  readonly reason: EndReason | null;
  /** What the access token says; null for opaque tokens. */
  readonly claims: Claims | null;
  /** The `sub` claim. */
  readonly subject: string | null;
  /** Grows with every token set, over all tabs. */
  readonly generation: number;
  /** When the access token runs out. */
  readonly expiresAt: number | null;
  /** When it is refreshed. */
  readonly refreshAt: number | null;
  /** When the user counts as idle. */
  readonly idleAt: number | null;
  /** When the session ends if nothing happens. */
  readonly endsAt: number | null;
  /** Whole seconds to the end, during `warning` only. */
  readonly secondsLeft: number | null;
  /** The last failure since the last success. */
  readonly lastError: SessionError | null;
}

/** What every event tells. */
export interface ToldEvent<Type extends string> {
  /** Which it is. */
  readonly type: Type;
  /** When it happened, in epoch milliseconds. */
  readonly at: number;
}

/** Everything that can be observed, by type. */
export interface SessionEvents {
  /** A session began here: by `start`, `restore`, or a sign-in in another tab. */
  started: ToldEvent<"started">;
  /** A newer token is in use. */
  refreshed: ToldEvent<"refreshed"> & {
    /** What the refresh was for; null when another tab or a response header brought the token. */
    readonly reason: RefreshReason | null;
  };
  /** A refresh attempt failed, or the breaker held it back. */
  "refresh-failed": ToldEvent<"refresh-failed"> & {
    /** What the refresh was for. */
    readonly reason: RefreshReason | "breaker";
    /** When it is tried again, in epoch milliseconds; null when it is not. */
    readonly retryAt: number | null;
    /** Why it failed. */
    readonly error: SessionError;
  };
  /** The access token is gone and the server has not said no. */
  stale: ToldEvent<"stale">;
  /** The session ends soon unless the user comes back. */
  warning: ToldEvent<"warning"> & {
    /** Which limit is near. */
    readonly reason: "idle" | "max-age";
    /** When the session ends, in epoch milliseconds. */
    readonly endsAt: number;
  };
  /** User input came before the end. */
  extended: ToldEvent<"extended">;
  /** The session is over. */
  "signed-out": ToldEvent<"signed-out"> & {
    /** What ended it. */
    readonly reason: EndReason;
  };
  /** The claims differ from the last token's, times and `jti` apart. */
  "claims-changed": ToldEvent<"claims-changed">;
  /** The next token belongs to somebody else; `signed-out` follows. */
  "subject-changed": ToldEvent<"subject-changed">;
  /** The local clock and the server's differ. */
  "clock-skew": ToldEvent<"clock-skew"> & {
    /** How far the local clock is behind, in milliseconds; negative when ahead. */
    readonly skew: number;
  };
  /** Storage cannot be used: the session lives in memory. */
  "storage-degraded": ToldEvent<"storage-degraded">;
  /** The server could not be told that the session is over; it is tried again. */
  "revoke-failed": ToldEvent<"revoke-failed"> & {
    /** When it is tried again, in epoch milliseconds. */
    readonly retryAt: number;
  };
}

/** Plain counters, from the creation of the session on. */
export interface Stats {
  /** Refreshes begun, by reason. */
  readonly refreshes: Readonly<Record<RefreshReason, number>>;
  /** How they ended. */
  readonly outcomes: Readonly<
    Record<"committed" | "adopted" | "transient" | "final" | "discarded", number>
  >;
  /** Requests through `fetch`: sent first, sent again, had to wait for a token, passed untouched. */
  readonly requests: Readonly<Record<"sent" | "resent" | "waited" | "passed", number>>;
  /** Lock traffic. */
  readonly locks: Readonly<Record<"requested" | "granted" | "timedOut", number>>;
  /** Storage traffic. */
  readonly storage: Readonly<Record<"reads" | "writes" | "failures", number>>;
}

/** What `session.fetch` reads of an init and the platform ignores. */
export interface FetchHints {
  /** `false`: a 401 is handed on at once, as for a password check [true]. */
  readonly refresh?: boolean | undefined;
  /** `false`: sends with the token that there is, expired or none, instead of waiting [true]. */
  readonly wait?: boolean | undefined;
}

declare global {
  interface RequestInit {
    /** For `fetch` of an Everfresh session; ignored by all others. */
    everfresh?: FetchHints | undefined;
  }
}

/** A session. All handles of one name are one session. */
export interface Session extends Disposes {
  /**
   * Begins or replaces the session, after login. The same token again changes nothing.
   *
   * @param tokens - a token response, or just a JWT
   * @returns `cancel` of this start only: it never stops a newer one
   * @throws `ERR_INVALID_TOKEN`, `ERR_NO_EXPIRY` once the wasm is loaded; before that the start is
   * queued and bad tokens end the session with reason `invalid-token`
   */
  start(tokens: string | TokenSet | TokenResponse): () => void;
  /** Stops in this tab and forgets its tokens; no network. */
  cancel(): void;
  /**
   * Ends every tab at once, then revokes at the server. The local part never fails.
   *
   * @param options - `everywhere`: all sessions of the user [false]
   */
  signOut(options?: { readonly everywhere?: boolean | undefined }): Promise<void>;
  /** Page load: finds the session in storage, in other tabs, or by the cookie. */
  restore(): Promise<Snapshot>;
  /**
   * `fetch`, with the session's token for its own origins, a refresh before sending when the
   * token is used up, and one refresh and one resend after a 401. `init.everfresh` changes that for
   * one request; one with `keepalive` never waits. A 401 that a fresh token got is remembered: until
   * there is another token, those of the same origin and path are handed on.
   *
   * @throws what `fetch` throws; `ERR_REFRESH_UNAVAILABLE`, `ERR_SIGNED_OUT_BY_SERVER`,
   * `ERR_REFRESH_REJECTED`, `ERR_WASM_BLOCKED`, `ERR_WASM_LOAD`, `ERR_DISPOSED`
   */
  readonly fetch: typeof fetch;
  /**
   * A valid access token.
   *
   * @param options - `minValiditySeconds`: for how long it must still be good [0]; `signal`: stops
   * waiting, not the refresh
   * @throws `ERR_NOT_SIGNED_IN`, `ERR_REFRESH_UNAVAILABLE`, `ERR_SIGNED_OUT_BY_SERVER`,
   * `ERR_REFRESH_REJECTED`
   */
  getAccessToken(options?: {
    readonly minValiditySeconds?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  }): Promise<string>;
  /**
   * For transports that are not `fetch`: the value of `Authorization` for a request to this address.
   *
   * @returns null where no token goes: another origin, or no user is signed in
   * @throws as `getAccessToken`, but for `ERR_NOT_SIGNED_IN`
   */
  authorize(url: string | URL): Promise<string | null>;
  /**
   * After a 401: a newer value than the one that was sent, after one refresh if there is none yet.
   *
   * @param sent - what `authorize` gave
   * @returns null when there is none, and the 401 is to be handed on
   * @throws `ERR_DISPOSED`
   */
  reauthorize(url: string | URL, sent: string): Promise<string | null>;
  /**
   * Refreshes now, for changed claims; joins a refresh under way. One attempt.
   *
   * @param reason - for the log
   */
  refresh(reason?: string): Promise<Snapshot>;
  /** Counts as user input. */
  touch(): void;
  /** Counts as continuous user input until the returned function is called. */
  hold(): () => void;
  /** How the session stands. */
  readonly snapshot: Snapshot;
  /**
   * Calls `listener` after each change of `snapshot`.
   *
   * @returns stops it
   */
  subscribe(listener: () => void): () => void;
  /**
   * Calls `listener` for each event of a type. It may call anything on the session and may throw.
   *
   * @returns stops it
   * @throws `ERR_INVALID_OPTION` for a type that there is not
   */
  on<T extends keyof SessionEvents>(
    type: T,
    listener: (event: SessionEvents[T]) => void,
  ): () => void;
  /** Counters. */
  readonly stats: Stats;
  /**
   * Releases this handle; the last one of a name stops everything. What is pending rejects with
   * `ERR_DISPOSED`. A signed-in session keeps a Node.js process alive until then.
   */
  dispose(): void;
}

/** `Symbol.dispose`, where the compiler's library has it. */
type Dispose = SymbolConstructor extends { readonly dispose: infer Name extends symbol } ? Name : never;

/** What `using` takes: the same as `dispose`. */
type Disposes = { readonly [Name in Dispose]: () => void };
