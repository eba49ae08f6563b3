// The shapes of the public API.

import type { SessionError } from "./errors.ts";

/**
 * The claims of a decoded access token, frozen deeply.
 *
 * @example const { iss, sub, aud, exp, nbf, iat, jti, phone } = session.snapshot.claims ?? {};
 */
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

/**
 * What a login or a refresh brought. Durations are in seconds.
 *
 * @example
 * session.start({ accessToken: "ey...", refreshToken: "r1", expiresIn: 300, refreshIn: 240, sessionExpiresIn: 43_200 });
 * session.start({ accessToken: "ey...", expiresAt: 1_900_000_000 });
 */
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
  /** When the access token ends, in seconds since the epoch by the server's clock; what is no number is not read. */
  readonly expiresAt?: number | undefined;
  /** When to refresh, from now; replaces the lead. */
  readonly refreshIn?: number | undefined;
  /** When the session ends for good, from now. */
  readonly sessionExpiresIn?: number | undefined;
}

/**
 * A token response as RFC 6749 section 5.1 writes it.
 *
 * @example
 * const response: TokenResponse = {
 *   ...{ access_token: "ey...", refresh_token: "r1", token_type: "Bearer", expires_in: 300 },
 *   ...{ expires_at: 1_900_000_000, refresh_in: 240, session_expires_in: 43_200 },
 * };
 */
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

/**
 * Why a refresh was begun.
 *
 * @example session.on("refreshed", ({ reason }) => reason === "unauthorized" && console.info("healed a 401"));
 */
export type RefreshReason =
  | "scheduled"
  | "unauthorized"
  | "demanded"
  | "explicit"
  | "wake"
  | "restore";

/**
 * Why a session is over.
 *
 * @example session.on("signed-out", ({ reason }) => reason === "idle" && console.info("you were away"));
 */
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

/**
 * How a session stands.
 *
 * @example const shown: Record<Status, string> = { unknown: "", active: "in", stale: "offline", warning: "soon out", "signed-out": "out" };
 */
export type Status = "unknown" | "active" | "stale" | "warning" | "signed-out";

/**
 * A picture of the session: frozen, and the same object until something changes. Times are epoch
 * milliseconds of the local clock.
 *
 * @example
 * const { status, reason, claims, subject, generation, lastError } = session.snapshot;
 * const { expiresAt, refreshAt, idleAt, endsAt, secondsLeft } = session.snapshot;
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

/**
 * What every event tells.
 *
 * @example session.on("stale", ({ type, at }) => console.warn(type, new Date(at)));
 */
export interface ToldEvent<Type extends string> {
  /** Which it is. */
  readonly type: Type;
  /** When it happened, in epoch milliseconds. */
  readonly at: number;
}

/** Everything that can be observed, by type. */
export interface SessionEvents {
  /**
   * A session began here: by `start`, `restore`, or a sign-in in another tab.
   *
   * @example session.on("started", () => console.info(session.snapshot.subject));
   */
  started: ToldEvent<"started">;
  /**
   * A newer token is in use.
   *
   * @example session.on("refreshed", ({ reason }) => console.info(reason));
   */
  refreshed: ToldEvent<"refreshed"> & {
    /** What the refresh was for; null when another tab or a response header brought the token. */
    readonly reason: RefreshReason | null;
  };
  /**
   * A refresh attempt failed, or the breaker held it back.
   *
   * @example session.on("refresh-failed", ({ error, retryAt }) => console.warn(error.code, retryAt));
   */
  "refresh-failed": ToldEvent<"refresh-failed"> & {
    /** What the refresh was for. */
    readonly reason: RefreshReason | "breaker";
    /** When it is tried again, in epoch milliseconds; null when it is not. */
    readonly retryAt: number | null;
    /** Why it failed. */
    readonly error: SessionError;
  };
  /**
   * The access token is gone and the server has not said no.
   *
   * @example session.on("stale", () => console.warn("no network?"));
   */
  stale: ToldEvent<"stale">;
  /**
   * The session ends soon unless the user comes back.
   *
   * @example session.on("warning", ({ reason, endsAt }) => console.info(reason, new Date(endsAt)));
   */
  warning: ToldEvent<"warning"> & {
    /** Which limit is near. */
    readonly reason: "idle" | "max-age";
    /** When the session ends, in epoch milliseconds. */
    readonly endsAt: number;
  };
  /**
   * User input came before the end.
   *
   * @example session.on("extended", () => console.info("still there"));
   */
  extended: ToldEvent<"extended">;
  /**
   * The session is over.
   *
   * @example session.on("signed-out", ({ reason }) => location.assign(`/login?reason=${reason}`));
   */
  "signed-out": ToldEvent<"signed-out"> & {
    /** What ended it. */
    readonly reason: EndReason;
  };
  /**
   * The claims differ from the last token's, times and `jti` apart.
   *
   * @example session.on("claims-changed", () => console.info(session.snapshot.claims?.["role"]));
   */
  "claims-changed": ToldEvent<"claims-changed">;
  /**
   * The next token belongs to somebody else; `signed-out` follows.
   *
   * @example session.on("subject-changed", () => console.warn("another user"));
   */
  "subject-changed": ToldEvent<"subject-changed">;
  /**
   * The local clock and the server's differ.
   *
   * @example session.on("clock-skew", ({ skew }) => console.warn(`this clock is ${skew / 1_000} s behind`));
   */
  "clock-skew": ToldEvent<"clock-skew"> & {
    /** How far the local clock is behind, in milliseconds; negative when ahead. */
    readonly skew: number;
  };
  /**
   * Storage cannot be used: the session lives in memory.
   *
   * @example session.on("storage-degraded", () => console.warn("a reload will sign out"));
   */
  "storage-degraded": ToldEvent<"storage-degraded">;
  /**
   * The server could not be told that the session is over; it is tried again.
   *
   * @example session.on("revoke-failed", ({ retryAt }) => console.warn(new Date(retryAt)));
   */
  "revoke-failed": ToldEvent<"revoke-failed"> & {
    /** When it is tried again, in epoch milliseconds. */
    readonly retryAt: number;
  };
}

/**
 * Plain counters, from the creation of the session on.
 *
 * @example
 * const { refreshes, outcomes, requests, locks, storage } = session.stats;
 * console.info(refreshes.scheduled, outcomes.adopted, requests.waited, locks.timedOut, storage.failures);
 */
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

/**
 * What `session.fetch` reads of an init and the platform ignores.
 *
 * @example
 * await session.fetch("/api/password-check", { everfresh: { refresh: false } });
 * await session.fetch("/api/beacon", { everfresh: { wait: false } });
 */
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

/** A session. All handles of one name are one session. Methods work without their session: `const { start } = session`. */
export interface Session extends Disposes {
  /**
   * Begins or replaces the session, after login. The same token again changes nothing.
   *
   * @param tokens - a token response, or just a JWT
   * @returns `cancel` of this start only: it never stops a newer one
   * @throws `ERR_INVALID_TOKEN`, `ERR_NO_EXPIRY` once the wasm is loaded; before that the start is
   * queued and bad tokens end the session with reason `invalid-token`
   * @example session.start(await response.json());
   */
  start(this: void, tokens: string | TokenSet | TokenResponse): () => void;
  /**
   * Stops in this tab and forgets its tokens; no network.
   *
   * @example session.cancel();
   */
  cancel(this: void): void;
  /**
   * Ends every tab at once, then revokes at the server. The local part never fails.
   *
   * @param options - `everywhere`: all sessions of the user [false]
   * @example await session.signOut({ everywhere: true });
   */
  signOut(this: void, options?: { readonly everywhere?: boolean | undefined }): Promise<void>;
  /**
   * Page load: finds the session in storage, in other tabs, or by the cookie.
   *
   * @example const { status } = await session.restore();
   */
  restore(this: void): Promise<Snapshot>;
  /**
   * `fetch`, with the session's token for its own origins, a refresh before sending when the
   * token is used up, and one refresh and one resend after a 401. `init.everfresh` changes that for
   * one request; one with `keepalive` never waits. A 401 that a fresh token got is remembered: until
   * there is another token, those of the same origin and path are handed on.
   *
   * @throws what `fetch` throws; `ERR_REFRESH_UNAVAILABLE`, `ERR_SIGNED_OUT_BY_SERVER`,
   * `ERR_REFRESH_REJECTED`, `ERR_WASM_BLOCKED`, `ERR_WASM_LOAD`, `ERR_DISPOSED`
   * @example const orders = await (await session.fetch("/api/orders")).json();
   */
  readonly fetch: typeof fetch;
  /**
   * A valid access token.
   *
   * @param options - `minValiditySeconds`: for how long it must still be good [0]; `signal`: stops
   * waiting, not the refresh
   * @throws `ERR_NOT_SIGNED_IN`, `ERR_REFRESH_UNAVAILABLE`, `ERR_SIGNED_OUT_BY_SERVER`,
   * `ERR_REFRESH_REJECTED`
   * @example const socket = new WebSocket(`wss://example.com/?token=${await session.getAccessToken({ minValiditySeconds: 30 })}`);
   */
  getAccessToken(this: void, options?: {
    readonly minValiditySeconds?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  }): Promise<string>;
  /**
   * For transports that are not `fetch`: the value of `Authorization` for a request to this address.
   *
   * @returns null where no token goes: another origin, or no user is signed in
   * @throws as `getAccessToken`, but for `ERR_NOT_SIGNED_IN`
   * @example const value = await session.authorize("/api/upload");
   */
  authorize(this: void, url: string | URL): Promise<string | null>;
  /**
   * After a 401: a newer value than the one that was sent, after one refresh if there is none yet.
   *
   * @param sent - what `authorize` gave
   * @returns null when there is none, and the 401 is to be handed on
   * @throws `ERR_DISPOSED`
   * @example const newer = await session.reauthorize("/api/upload", "Bearer ey...");
   */
  reauthorize(this: void, url: string | URL, sent: string): Promise<string | null>;
  /**
   * Refreshes now, for changed claims; joins a refresh under way. One attempt.
   *
   * @param reason - for the log
   * @example await session.refresh("the role has changed");
   */
  refresh(this: void, reason?: string): Promise<Snapshot>;
  /**
   * Counts as user input.
   *
   * @example document.querySelector("#stay")?.addEventListener("click", session.touch);
   */
  touch(this: void): void;
  /**
   * Counts as continuous user input until the returned function is called.
   *
   * @example
   * const release = session.hold(); // while a video plays
   * release();
   */
  hold(this: void): () => void;
  /**
   * How the session stands.
   *
   * @example console.info(session.snapshot.status);
   */
  readonly snapshot: Snapshot;
  /**
   * Calls `listener` after each change of `snapshot`.
   *
   * @returns stops it
   * @example const stop = session.subscribe(() => console.info(session.snapshot.status));
   */
  subscribe(this: void, listener: () => void): () => void;
  /**
   * Calls `listener` for each event of a type. It may call anything on the session and may throw.
   *
   * @returns stops it
   * @throws `ERR_INVALID_OPTION` for a type that there is not
   * @example const off = session.on("signed-out", ({ reason }) => console.info(reason));
   */
  on<T extends keyof SessionEvents>(
    this: void,
    type: T,
    listener: (event: SessionEvents[T]) => void,
  ): () => void;
  /**
   * Counters.
   *
   * @example console.info(session.stats.refreshes.scheduled);
   */
  readonly stats: Stats;
  /**
   * Releases this handle; the last one of a name stops everything. What is pending rejects with
   * `ERR_DISPOSED`. A signed-in session keeps a Node.js process alive until then.
   *
   * @example session.dispose();
   */
  dispose(this: void): void;
}

/** `Symbol.dispose`, where the compiler's library has it. */
type Dispose = SymbolConstructor extends { readonly dispose: infer Name extends symbol } ? Name : never;

/** What `using` takes: the same as `dispose`. */
type Disposes = { readonly [Name in Dispose]: () => void };
