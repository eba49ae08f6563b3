// One session of one name: this side of the border to the engine in Rust.

import { Engine as RustEngine } from "../wasm/everfresh_bg.js";

import { originPolicy, pageBase, pageOrigin } from "./allowed-origins.ts";
import { onBug } from "./bug.ts";
import {
  DisposedError,
  InvalidOptionError,
  RefreshUnavailableError,
  type SessionError,
} from "./errors.ts";
import { freeze } from "./freeze.ts";
import { load, ready, takeNote } from "./loading.ts";
import { own } from "./own.ts";
import { Observers } from "./observers.ts";
import type { Logger, Settings, TokenStorage } from "./options.ts";
import { seconds } from "./parse-options.ts";
import type { Credential } from "./replayable-request.ts";
import { keepNewest, Refusals } from "./refusals.ts";
import { type Failure, toError } from "./to-error.ts";
import { standIn, tokenTransport } from "./token-transport.ts";
import { readTokens, type TokenFields } from "./tokens.ts";
import type { Claims, SessionEvents, Snapshot, Stats } from "./types.ts";
import { UNKNOWN } from "./unknown.ts";

/** The right to use a token unasked within a window of the wall clock. @internal */
export interface Lease {
  readonly id: number;
  readonly token: string;
  readonly from: number;
  readonly until: number;
}

/** What is waited for: a token that is good for `value` milliseconds, or one newer than the lease `value`, which got a 401. @internal */
export type Want = "token" | "newer";

interface Waiter {
  readonly owner: object;
  readonly resolve: (lease?: Lease) => void;
  readonly reject: (error: unknown) => void;
}

/** What the handles of one name share. Nothing happens before it is told to. @internal */
export class Engine {
  /** The newest options. */
  settings: Settings;
  /** How things stand. */
  snapshot: Snapshot = UNKNOWN;
  /** Whether `start` or `restore` was called: before, no user can be signed in. */
  begun = false;
  /** How many users there have been. */
  users = 0;
  /** Requests so far. */
  readonly requests: Record<"sent" | "resent" | "waited" | "passed", number> = {
    sent: 0,
    resent: 0,
    waited: 0,
    passed: 0,
  };
  /** Whether a request to this address may carry the token. */
  allow: (address: string, base?: string) => boolean = () => false;
  readonly observers: Observers;
  readonly refusals: Refusals = new Refusals();
  #rust: RustEngine | undefined;
  /** What happened before the engine was loaded. */
  readonly #queue: ((rust: RustEngine) => void)[] = [];
  readonly #waiters = new Map<number, Waiter>();
  #lastWaiter = 0;
  #lease: Lease | undefined;
  /** By token, the newest last: those that a request may still be under way with. */
  readonly #leases = new Map<string, Lease>();
  #closed = false;
  /** What relative addresses of options count from: the page's base at the first use. */
  #base: string | undefined;
  #suspected = false;
  #foreign = false;
  /** The refresh function is being called. */
  #calling = false;
  /** The address that leads nowhere. */
  #lost: SessionError | undefined;
  /** What tells it from other sessions. */
  #name = "";
  readonly #forgetBug: () => void;

  constructor(settings: Settings) {
    this.settings = settings;
    this.observers = new Observers(this.log);
    this.#forgetBug = onBug((error) => this.#fail(error, "the engine failed"));
  }

  /** Writes a line to the application's logger. */
  readonly log = (level: keyof Logger, message: string, details?: unknown): void => {
    try {
      const rest = details === undefined ? [] : [details];
      this.settings.logger?.[level](`everfresh: ${message}`, ...rest);
    } catch {
      // A logger cannot hurt either.
    }
  };

  /** To be called before anything else; newer options win. */
  configure(settings: Settings): void {
    this.settings = settings;
    this.allow = originPolicy(settings.origins, (message) => this.log("warn", message));
    this.#rust?.configure(this.#options());
  }

  /** The options for the engine, their addresses whole: a page may change its base later. */
  #options(): object {
    const { engine, fetch, name, storage } = this.settings;
    this.#base ??= pageBase();
    this.#name ||= name ?? crypto.randomUUID();
    this.#lost = undefined;
    const whole = (option: string) => {
      const address = engine[option] as string | undefined;
      try {
        return address && new URL(address, this.#base).href;
      } catch {
        // A transport of the application's may know more.
        if (!fetch) {
          this.#lost = new InvalidOptionError(
            `option refresh.${option} cannot be "${address}" here, where there is no page: ` +
              "pass a whole URL, or the option fetch",
          );
          this.log("error", this.#lost.message);
        }
        return address;
      }
    };
    const [revokeUrl, url] = [whole("revokeUrl"), whole("url")];
    const page = pageOrigin();
    const isForeign = (address = "") =>
      !!page && /^http/.test(address) && new URL(address).origin !== page;
    this.#foreign = isForeign(url);
    const given = {
      ...engine,
      alone: !name,
      style: this.cookies ? "cookie" : engine["style"],
      revokeUrl,
      url,
      foreign: this.#foreign,
      revokeForeign: isForeign(revokeUrl),
    };
    // Who has no name shares nothing, but finds again what a storage of its own keeps.
    return own(name || typeof storage === "string" ? given : { ...given, storage: this.#unnamed(storage) });
  }

  #unnamed(storage: TokenStorage): TokenStorage {
    const key = (key: string) => key.replace(this.#name, "default");
    return {
      get: (name) => storage.get(key(name)),
      set: (name, value) => storage.set(key(name), value),
      remove: (name) => storage.remove(key(name)),
    };
  }

  /** Tells the engine, now or when it is loaded. */
  run(act: (rust: RustEngine) => void): void {
    if (this.#closed) return;
    this.#base ??= pageBase();
    // What is refused here must not happen later.
    const now = ready();
    this.#queue.push(act);
    if (now) this.#drain();
    else
      load().then(
        () => this.#drain(),
        (error: SessionError) => this.#fail(error, "the engine could not be loaded"),
      );
  }

  #drain(): void {
    outside(() => {
      for (let act; !this.#closed && (act = this.#queue.shift()); ) act(this.#open());
    });
  }

  #open(): RustEngine {
    const note = this.settings.logger && takeNote();
    if (note) this.log("warn", note);
    if (!this.#rust) {
      const options = this.#options();
      this.#rust = new RustEngine(this.#face(), this.#name, options);
    }
    return this.#rust;
  }

  /**
   * Begins or replaces the session; returns what cancels this start.
   *
   * @throws when the tokens cannot be used; before loading that is found too late to throw
   */
  start(tokens: unknown): () => void {
    const given = readTokens(tokens);
    const fields = this.cookies ? { ...given, accessToken: standIn() } : given;
    this.#base ??= pageBase();
    let start: number | undefined;
    if (!this.#closed) {
      if (ready() && !this.#queue.length) {
        start = outside(() => this.#start(this.#open(), fields, false));
      } else this.run((rust) => (start = this.#start(rust, fields, true)));
    }
    this.begun = true;
    return () => this.run((rust) => rust.cancel(start));
  }

  #start(rust: RustEngine, fields: TokenFields, late: boolean): number {
    const { subject } = this.snapshot;
    try {
      const start = rust.start(fields, late);
      // Users who are not named are not the same.
      if (!subject || subject !== this.snapshot.subject) {
        this.users += 1;
        this.#leases.clear();
        this.#keep(this.#lease);
      }
      return start;
    } catch (failure) {
      throw toError(failure);
    }
  }

  #keep(lease: Lease | undefined): void {
    this.#lease = lease;
    if (lease) keepNewest(this.#leases, lease.token, lease);
  }

  /** Adopts the token that a response to a request with this lease carried. */
  adopt(token: string, lease: number): void {
    try {
      this.run((rust) => rust.adopt(token, lease));
    } catch (failure) {
      this.log("warn", "the token in a response header cannot be used", toError(failure));
    }
  }

  /** No script sees a token: the leases stand for cookies. */
  get cookies(): boolean {
    return this.settings.refresh.style === "cookies";
  }

  /**
   * What a request with this lease, begun when there had been so many users, carries: a token or
   * none; with style cookies, whether they go along. A session may have ended while it waited.
   */
  carries(lease: Lease | undefined, users: number = this.users): Credential {
    return this.cookies
      ? users === this.users && this.snapshot.reason !== "subject-changed"
      : this.leaseOf(lease?.token)?.token;
  }

  /** What sends requests. */
  transport(): typeof fetch {
    return this.settings.fetch ?? globalThis.fetch;
  }

  /** @throws `ERR_REFRESH_UNAVAILABLE` to a refresh function that would wait for itself */
  checkCaller(): void {
    if (!this.#calling) return;
    throw new RefreshUnavailableError(
      "the refresh function waits for its own session: send its request with the given fetch",
    );
  }

  /** Waits for a lease, or for nothing; says whether it still does. */
  wait(owner: object, want: Want, value: number, signal: AbortSignal): [Promise<Lease | undefined>, () => boolean] {
    const waiter = this.#lastWaiter + 1;
    const answer = this.ask(
      owner,
      (rust) => (want === "token" ? rust.token(waiter, value) : rust.unauthorized(waiter, value)),
      signal,
    );
    return [answer, () => this.#waiters.has(waiter)];
  }

  /** Waits for what the engine answers to `call`. */
  async ask(
    owner: object,
    call: (rust: RustEngine, waiter: number) => void,
    signal?: AbortSignal,
  ): Promise<Lease | undefined> {
    const waiter = ++this.#lastWaiter;
    const abort = () => this.#giveUp(waiter, signal!.reason);
    signal?.addEventListener("abort", abort);
    try {
      return await new Promise<Lease | undefined>((resolve, reject) => {
        if (this.#closed) return resolve(undefined);
        this.#waiters.set(waiter, { owner, resolve, reject });
        this.run((rust) => {
          if (this.#waiters.has(waiter)) call(rust, waiter);
        });
      });
    } finally {
      this.#waiters.delete(waiter);
      signal?.removeEventListener("abort", abort);
    }
  }

  #giveUp(waiter: number, error: unknown): void {
    this.#take(waiter)?.reject(error);
    this.run((rust) => rust.abandon(waiter));
  }

  #take(waiter: number): Waiter | undefined {
    const found = this.#waiters.get(waiter);
    this.#waiters.delete(waiter);
    return found;
  }

  /** A request that passed untouched got a 401: perhaps it should have carried the token. */
  suspect(address: string): void {
    const { origins } = this.settings;
    if (!this.begun || origins || this.#suspected || !address || this.allow(address)) return;
    this.#suspected = true;
    const { origin } = new URL(address);
    this.log(
      "warn",
      `${origin} answered 401 to a request without a token: only the page's own origin gets it; ` +
        "to send it to both, name both in the option origins",
    );
  }

  /** The lease, if it may be used unasked now. */
  usableLease(): Lease | undefined {
    const lease = this.#lease;
    const now = Date.now();
    return lease && lease.from <= now && now < lease.until ? lease : undefined;
  }

  /** The lease that was given last, usable or not. */
  lastLease(): Lease | undefined {
    return [...this.#leases.values()].pop();
  }

  /** The lease on this token, unless it is of a session that is over, or old. */
  leaseOf(token: string | undefined): Lease | undefined {
    return this.#leases.get(token!);
  }

  /** Counters. */
  get stats(): Stats {
    const counted = this.#closed ? undefined : (this.#rust?.stats() as Stats | undefined);
    return { ...NOTHING, ...counted, requests: { ...this.requests } };
  }

  /** A handle is gone: it hears nothing more, and what it waited for ends. */
  release(owner: object): void {
    this.observers.release(owner);
    for (const [waiter, { owner: theirs }] of this.#waiters) {
      if (theirs === owner) this.#giveUp(waiter, new DisposedError(DISPOSED));
    }
  }

  /** The last handle is gone. */
  close(): void {
    this.#lease = undefined;
    this.#forgetBug();
    const rust = this.#rust;
    if (rust) {
      this.run(() => rust.dispose());
      queueMicrotask(() => rust.free());
    }
    this.#closed = true;
  }

  /** The engine cannot be used. What needs no answer is kept for when it can. */
  #fail(lastError: SessionError, message: string): void {
    if (this.#closed || this.snapshot.lastError === lastError) return;
    this.log("error", message, lastError);
    this.#lease = undefined;
    for (const { reject } of this.#waiters.values()) reject(lastError);
    this.#waiters.clear();
    this.snapshot = Object.freeze({ ...this.snapshot, lastError });
    this.observers.tell(undefined, undefined);
  }

  /** What the engine calls: src/npm/face.rs. */
  #face(): object {
    return {
      transport: () =>
        this.#lost
          ? () => {
              throw this.#lost;
            }
          : tokenTransport(this.transport(), this.settings.refresh),
      lead: (claims: Claims | null) => this.#lead(freeze(claims)),
      call: async (request: object, signal: AbortSignal) => {
        const { claims } = this.snapshot;
        // The engine's word for what is not there is null.
        const given = Object.fromEntries(Object.entries(request).filter(([, it]) => it !== null));
        const fetch = (...args: Parameters<typeof globalThis.fetch>) => this.transport()(...args);
        let called: unknown;
        this.#calling = true;
        try {
          called = this.settings.refresh.call!({ ...given, claims, signal, fetch });
        } finally {
          this.#calling = false;
        }
        return readTokens(await called);
      },
      settle: (waiter: number, lease?: Lease, failure?: Failure, cause?: unknown) => {
        const waiting = this.#take(waiter);
        if (failure) waiting?.reject(this.#error(failure, cause));
        else waiting?.resolve(lease);
      },
      lease: (lease?: Lease) => this.#keep(lease),
      show: (shown: Snapshot, claims: Claims | null, failure?: Failure, cause?: unknown) => {
        const lastError = failure ? this.#error(failure, cause) : null;
        this.snapshot = Object.freeze({ ...shown, claims: freeze(claims), lastError });
        if (shown.status === "signed-out") this.#leases.clear();
      },
      changed: () => this.observers.tell(undefined, undefined),
      event: (said: { type: keyof SessionEvents }, at: number, failure?: Failure, cause?: unknown) => {
        const event = { ...said, at };
        this.refusals.hear(said);
        // The cause is the application's own and may hold a token: it is not for logs.
        const logged = failure ? { ...event, error: this.#error(failure) } : event;
        this.log(WARNINGS.test(said.type) ? "warn" : "info", said.type, logged);
        const error = failure && { error: this.#error(failure, cause) };
        this.observers.tell(said.type, Object.freeze({ ...event, ...error }));
      },
      log: this.log,
    };
  }

  #error(failure: Failure, cause?: unknown): SessionError {
    return toError(failure, cause, this.settings.refresh.call ? undefined : this.#foreign);
  }

  /** The application's lead in milliseconds; NaN is the usual one. */
  #lead(claims: Claims | null): number {
    const { leadSeconds } = this.settings;
    if (typeof leadSeconds === "function") {
      try {
        return 1_000 * seconds(leadSeconds(claims ?? {}), "leadSeconds()");
      } catch (error) {
        this.log("error", "leadSeconds failed; 60 seconds are used", error);
      }
    }
    return NaN;
  }
}

/** Outside of the zone that watches: there a timer would keep an application from being stable. */
function outside<T>(act: () => T): T {
  const zone = (globalThis as { Zone?: { root: { run(act: () => T): T } } }).Zone;
  return zone ? zone.root.run(act) : act();
}

/** Events that should be looked at. */
const WARNINGS = /warning|skew|failed|stale|degraded/;

/** The cause and the remedy of every call that comes after `dispose`. @internal */
export const DISPOSED = "this session was disposed: call createSession() again";

const NOTHING = {
  refreshes: { scheduled: 0, unauthorized: 0, demanded: 0, explicit: 0, wake: 0, restore: 0 },
  outcomes: { committed: 0, adopted: 0, transient: 0, final: 0, discarded: 0 },
  locks: { requested: 0, granted: 0, timedOut: 0 },
  storage: { reads: 0, writes: 0, failures: 0 },
};
