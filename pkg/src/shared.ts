// One session of one name: what its handles share, and the face that the engine calls.

import { readJwt } from "./decode.ts";
import { Engine, type Face, type Lease, type Picture } from "./engine.ts";
import { DisposedError, errorOf, type SessionError } from "./errors.ts";
import { ABANDON, HEADER_TOKEN, TOKEN_WANTED, UNAUTHORIZED } from "./inputs.ts";
import { load, ready } from "./loading.ts";
import { Observers } from "./observers.ts";
import type { Logger, Settings } from "./options.ts";
import { Origins } from "./origins.ts";
import type { Claims, EndReason, Snapshot, Stats, Status } from "./types.ts";

interface Waiter {
  readonly owner: object;
  readonly resolve: (outcome: Lease | boolean) => void;
  readonly reject: (error: unknown) => void;
}

interface Queued {
  readonly owner: object;
  readonly run: (engine: Engine) => void;
  /** Absent: it is kept for when loading succeeds. */
  readonly fail?: (error: unknown) => void;
}

const NO_LEASE: Lease = { id: 0, token: "", from: Infinity, until: 0 };

/** One session of one name. */
export class Shared implements Face {
  settings: Settings;
  origins: Origins;
  snapshot: Snapshot = snapshotOf(["unknown", null, null, 0, null, null, null, null, null, null]);
  /** Whether `start` or `restore` was called: before, nobody can be signed in. */
  begun = false;
  readonly requests: Record<"sent" | "resent" | "waited" | "passed", number> = {
    sent: 0,
    resent: 0,
    waited: 0,
    passed: 0,
  };
  readonly observers: Observers = new Observers((error) => {
    this.log("error", "a listener threw", error);
    globalThis.reportError?.(error);
  });

  #engine: Engine | undefined;
  #closed = false;
  #lease = NO_LEASE;
  #picture: Picture | undefined;
  #queue: Queued[] = [];
  #names = 0;
  readonly #waiters = new Map<number, Waiter>();

  constructor(settings: Settings) {
    this.settings = settings;
    this.origins = this.#originsOf(settings);
  }

  /** Newer options win. */
  configure(settings: Settings): void {
    this.settings = settings;
    this.origins = this.#originsOf(settings);
    this.#engine?.configure();
  }

  /** Writes a line to the application's logger. */
  readonly log = (level: keyof Logger, message: string, details?: unknown): void => {
    try {
      this.settings.logger?.[level](`everfresh: ${message}`, details);
    } catch {
      // A logger cannot hurt either.
    }
  };

  /** A number that names something of this session; never 0. */
  name(): number {
    this.#names += 1;
    return this.#names;
  }

  /** Calls the engine now or once it is loaded; says which. */
  use(
    owner: object,
    run: (engine: Engine, queued: boolean) => void,
    fail?: (error: unknown) => void,
  ): void {
    if (this.#closed) return;
    if (!this.#engine && ready()) this.#open();
    if (this.#engine) return run(this.#engine, false);
    const queued = { owner, run: (engine: Engine) => run(engine, true) };
    this.#queue.push(fail ? { ...queued, fail } : queued);
    load().then(
      () => this.#open(),
      (error) => this.#failQueue(error),
    );
  }

  /** Waits until the engine has settled what `send` asks of it. */
  ask(
    owner: object,
    send: (engine: Engine, waiter: number) => void,
    signal?: AbortSignal,
  ): Promise<Lease | boolean> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const waiter = this.name();
      const giveUp = () => {
        this.#take(waiter)?.reject(signal?.reason);
        this.#engine?.feed(ABANDON, waiter);
      };
      const settle = <T>(then: (value: T) => void) => (value: T) => {
        signal?.removeEventListener("abort", giveUp);
        then(value);
      };
      this.#waiters.set(waiter, { owner, resolve: settle(resolve), reject: settle(reject) });
      signal?.addEventListener("abort", giveUp);
      const fail = (error: unknown) => this.#take(waiter)?.reject(error);
      try {
        this.use(
          owner,
          (engine) => {
            if (this.#waiters.has(waiter)) send(engine, waiter);
          },
          fail,
        );
      } catch (error) {
        fail(error);
      }
    });
  }

  /** The lease, if it may be used unasked now. */
  usableLease(): Lease | undefined {
    const now = Date.now();
    return this.#lease.from <= now && now < this.#lease.until ? this.#lease : undefined;
  }

  /** A token for a caller; undefined when nobody is signed in. */
  async token(
    owner: object,
    validity: number,
    signal: AbortSignal | undefined,
  ): Promise<Lease | undefined> {
    if (!this.begun) return undefined;
    const asked = this.ask(
      owner,
      (engine, waiter) => {
        engine.feed(TOKEN_WANTED, waiter, validity);
        if (this.#waiters.has(waiter)) this.requests.waited += 1;
      },
      signal,
    );
    const outcome = await asked;
    return typeof outcome === "object" ? outcome : undefined;
  }

  /** A newer token after a 401; undefined when the 401 stands. */
  async heal(
    owner: object,
    lease: number,
    signal: AbortSignal | undefined,
  ): Promise<Lease | undefined> {
    if (this.#closed) return undefined;
    const send = (engine: Engine, waiter: number) => engine.feed(UNAUTHORIZED, waiter, lease);
    const outcome = await this.ask(owner, send, signal);
    return typeof outcome === "object" ? outcome : undefined;
  }

  /** Reports a 401 of a request that cannot be sent again. */
  report(lease: number): void {
    this.#engine?.feed(UNAUTHORIZED, 0, lease);
  }

  /** Adopts the token that a response carried. */
  adopt(token: string, lease: number): void {
    try {
      this.#engine?.offer(HEADER_TOKEN, lease, token);
    } catch (error) {
      this.log("warn", "the token of a response header cannot be used", error);
    }
  }

  get stats(): Stats {
    const counters = this.#engine?.stats() ?? [];
    const next = <K extends string>(...names: K[]): Record<K, number> =>
      Object.fromEntries(names.map((name) => [name, counters.shift() ?? 0])) as Record<K, number>;
    return {
      refreshes: next("scheduled", "unauthorized", "demanded", "explicit", "wake", "restore"),
      outcomes: next("committed", "adopted", "transient", "final", "discarded"),
      locks: next("requested", "granted", "timedOut"),
      storage: next("reads", "writes", "failures"),
      requests: { ...this.requests },
    };
  }

  /** A handle is gone: what it waited for ends. */
  release(owner: object): void {
    this.observers.release(owner);
    this.#queue = this.#queue.filter((queued) => queued.owner !== owner);
    for (const [waiter, { owner: theirs, reject }] of this.#waiters) {
      if (theirs !== owner) continue;
      this.#waiters.delete(waiter);
      this.#engine?.feed(ABANDON, waiter);
      reject(disposed());
    }
  }

  /** The last handle is gone. */
  close(): void {
    this.#closed = true;
    this.#lease = NO_LEASE;
    const engine = this.#engine;
    this.#engine = undefined;
    engine?.dispose();
  }

  #open(): void {
    if (this.#engine || this.#closed) return;
    const engine = new Engine(this);
    this.#engine = engine;
    const queue = this.#queue;
    this.#queue = [];
    for (const { run } of queue) run(engine);
  }

  #failQueue(error: unknown): void {
    if (this.#closed) return;
    this.log("error", "the wasm could not be loaded", error);
    const queue = this.#queue;
    this.#queue = queue.filter(({ fail }) => !fail);
    for (const { fail } of queue) fail?.(error);
    if (this.snapshot.lastError !== error) {
      this.snapshot = Object.freeze({ ...this.snapshot, lastError: error as SessionError });
      this.observers.changed();
      this.observers.tell();
    }
  }

  #take(waiter: number): Waiter | undefined {
    const found = this.#waiters.get(waiter);
    this.#waiters.delete(waiter);
    return found;
  }

  #originsOf({ origins }: Settings): Origins {
    return new Origins(origins, (message) => this.log("warn", message));
  }

  // What the engine calls.

  get claims(): Claims | null {
    return this.snapshot.claims;
  }

  lead(claims: Claims): number {
    const { lead } = this.settings;
    if (!lead) return NaN;
    try {
      const seconds = lead(claims);
      if (Number.isFinite(seconds) && seconds >= 0) return seconds * 1_000;
      this.log("error", "leadSeconds did not return seconds; 60 are used", seconds);
    } catch (error) {
      this.log("error", "leadSeconds threw; 60 seconds are used", error);
    }
    return NaN;
  }

  settle(waiter: number, outcome: Lease | boolean): void {
    this.#take(waiter)?.resolve(outcome);
  }

  fail(waiter: number, error: SessionError): void {
    this.#take(waiter)?.reject(error);
  }

  lease(lease: Lease = NO_LEASE): void {
    this.#lease = lease;
  }

  emit(type: string, reason: string | null, time: number | null, error?: SessionError): void {
    this.observers.emit(type, reason, time, error, this.log);
  }

  show(picture: Picture): void {
    const before = this.#picture;
    this.#picture = picture;
    if (picture.length !== before?.length || picture.some((piece, i) => piece !== before[i])) {
      this.snapshot = snapshotOf(picture);
      this.observers.changed();
    }
    this.observers.tell();
  }
}

/** The error of everything that comes after `dispose`. */
export function disposed(): SessionError {
  return new DisposedError("this session was disposed: call createSession() for a new one");
}

function snapshotOf(picture: Picture): Snapshot {
  const [status, reason, subject, generation, expiresAt, refreshAt, ...more] = picture;
  const [idleAt, endsAt, secondsLeft, token, code, message] = more;
  const [claims, flaw] = readJwt(token ?? "");
  return Object.freeze({
    status: status as Status,
    reason: reason as EndReason | null,
    claims: flaw ? null : claims,
    subject,
    generation,
    expiresAt,
    refreshAt,
    idleAt,
    endsAt,
    secondsLeft,
    lastError: code ? errorOf(code, message!) : null,
  });
}
