// One session of one name: the loop around the machine in the wasm, and what it does for it.

import { close, configure, grant, input, poll, rest, stats } from "../wasm/everfresh_bg.js";

import { onBug } from "./bug.ts";
import { readJwt } from "./decode.ts";
import type { SessionError } from "./errors.ts";
import { DISPOSED, errorOf } from "./failures.ts";
import { heard, say } from "./host.ts";
import {
  ABANDON,
  CANCEL,
  DISPOSE,
  HEADER_TOKEN,
  LEAVING,
  LOCK_GRANTED,
  LOCK_UNAVAILABLE,
  PEER_MESSAGE,
  RECORD_CHANGED,
  RECORD_READ,
  REFRESH_GRANTED,
  REFRESH_REFUSED,
  RESTORE,
  RESUMED,
  REVOKE_ANSWERED,
  START,
  TIMER_FIRED,
  TOKEN_WANTED,
  VISIBLE,
} from "./inputs.ts";
import { load, ready, takeNote } from "./loading.ts";
import { openObservers } from "./observers.ts";
import type { Logger, Settings } from "./options.ts";
import { type FetchInput, judge } from "./origins.ts";
import { type Picture, snapshotOf, statsOf } from "./picture.ts";
import { openChannel } from "./platform/channel.ts";
import { requestLock } from "./platform/lock.ts";
import { watch } from "./platform/page.ts";
import { openRecords } from "./platform/storage.ts";
import { askRefresh, askRevoke } from "./platform/transport.ts";
import { seconds } from "./settings.ts";
import { readTokens } from "./tokens.ts";
import type { Claims, Snapshot, Stats } from "./types.ts";

/** The right to use a token unasked within a window of the wall clock. @internal */
export interface Lease {
  readonly id: number;
  readonly token: string;
  readonly from: number;
  readonly until: number;
}

interface Waiter {
  readonly owner: object;
  readonly resolve: (lease?: Lease) => void;
  readonly reject: (error: unknown) => void;
}

/** Longer delays overflow and fire at once. The machine is then called early and asks again. */
const LONGEST = 0x7fff_ffff;

/** Sessions of the wasm so far. */
let sessions = 0;

/** What the handles of one name share. @internal */
export interface Engine {
  /** The newest options. */
  settings: Settings;
  /** How things stand. */
  snapshot: Snapshot;
  /** Whether `start` or `restore` was called: before, nobody can be signed in. */
  begun: boolean;
  /** Requests so far. */
  readonly requests: Record<"sent" | "resent" | "waited" | "passed", number>;
  /** Counters. */
  readonly stats: Stats;
  /** To be called before anything else; newer options win. */
  configure(settings: Settings): void;
  /** Writes a line to the application's logger. */
  log(level: keyof Logger, message: string, details?: unknown): void;
  /** Whether a request to this address may carry the token. */
  allow(input: FetchInput): boolean;
  /** Begins or replaces the session; returns what cancels this start. */
  start(tokens: unknown): () => void;
  /** Something happened; `inputs.ts` says what there is. */
  feed(kind: number, id?: number, value?: number): void;
  /** Waits for the answer to an input: a lease, or nothing. */
  ask(
    owner: object,
    kind: number,
    value?: number,
    signal?: AbortSignal,
  ): Promise<Lease | undefined>;
  /** The lease, if it may be used unasked now. */
  usableLease(): Lease | undefined;
  /** Adopts the token that a response to a request with this lease carried. */
  adopt(token: string, lease: number): void;
  /** Tells a listener of events of a type, or of new snapshots; returns what ends it. */
  observe(
    owner: object,
    type: string | undefined,
    listener: (event: never) => void,
  ): () => void;
  /** A handle is gone: it hears nothing more, and what it waited for ends. */
  release(owner: object): void;
  /** The last handle is gone. */
  close(): void;
}

/** One session of one name. Nothing happens before it is told to. @internal */
export function openEngine(initial: Settings): Engine {
  const key = `everfresh:${initial.name}`;
  const waiters = new Map<number, Waiter>();
  const running = new Map<number, AbortController>();
  const inbox: (() => void)[] = [];
  let session: number | undefined;
  let picture: Picture = ["unknown", null, null, 0, null, null, null, null, null, null];
  let lease: Lease | undefined;
  let names = 0;
  let working = false;
  let closed = false;
  let timer: unknown;
  /** What the last refresh threw. */
  let cause: unknown;
  let listening: AbortController | undefined;
  let channel: BroadcastChannel | undefined;

  const log = (level: keyof Logger, message: string, details?: unknown) => {
    try {
      engine.settings.logger?.[level](`everfresh: ${message}`, details);
    } catch {
      // A logger cannot hurt either.
    }
  };

  const blame = (failure?: number) => errorOf(failure, cause);
  const unknown = snapshotOf(picture, blame);
  const observers = openObservers(unknown, log, blame);

  // The loop. Whatever happens becomes an input. While one is worked off the others queue, so that
  // nothing that is called on the way meets a machine in the middle of its work.

  const work = (act: () => void) => {
    if (closed) return;
    // What is refused here must not happen later.
    const now = ready();
    inbox.push(act);
    if (now) drain();
    else load().then(drain, failed);
  };

  const drain = () => {
    if (closed || working) return;
    working = true;
    const note = engine.settings.logger && takeNote();
    if (note) log("warn", note);
    if (session === undefined) configure((session = sessions++), ...engine.settings.policy);
    for (let act; (act = inbox.shift()); ) {
      act();
      for (let kind; (kind = poll(session)) >= 0; ) effects[kind]!(...heard<never[]>());
    }
    const delay = rest(session);
    const seen = heard<Picture>();
    clearTimeout(timer as number);
    if (delay >= 0) timer = setTimeout(() => feed(TIMER_FIRED), Math.min(delay, LONGEST));
    working = false;
    if (seen.join() !== picture.join()) {
      picture = seen;
      engine.snapshot = snapshotOf(seen, blame);
    }
    observers.tell(engine.snapshot);
  };

  /** The engine could not be loaded. What needs no answer is kept for when it can. */
  const failed = (lastError: SessionError, what = "the engine could not be loaded") => {
    const { snapshot } = engine;
    if (closed || snapshot.lastError === lastError) return;
    log("error", what, lastError);
    for (const { reject } of waiters.values()) reject(lastError);
    waiters.clear();
    engine.snapshot = Object.freeze({ ...snapshot, lastError });
    observers.tell(engine.snapshot);
  };

  const forgetBug = onBug((bug) => {
    clearTimeout(timer as number);
    listening?.abort();
    hangUp();
    failed(bug, "the engine failed");
  });

  const enter = (kind: number, id = 0, value = 0, wait = 0) =>
    input(session!, kind, id, value, wait);

  const feed = (kind: number, id?: number, value?: number, wait?: number, ...texts: string[]) =>
    work(() => {
      say(...texts);
      enter(kind, id, value, wait);
    });

  const records = openRecords(key, work, enter);

  // Tokens.

  /** Leaves a token response to the next input; its lead if it is wanted, and what is wrong. */
  const parse = (tokens: unknown, leads?: boolean): [lead: number, error?: SessionError] => {
    const [texts, ...times] = readTokens(tokens);
    const [claims, ...numbers] = readJwt(texts[0]!);
    const { sub } = claims;
    // Asked for first: what the application does then must not come between.
    const lead = leads ? leadFor(claims) : NaN;
    say(...texts, ...(sub === undefined ? [] : [sub]));
    grant(...times, ...numbers, sub !== undefined);
    return [lead, errorOf(...heard<[number?]>())!];
  };

  const take = (kind: number, id: number, tokens: unknown) =>
    work(() => enter(kind, id, parse(tokens, true)[0]));

  /** @throws when tokens cannot be used; before loading that is found too late to throw */
  const check = (tokens: unknown) => {
    const error = ready() && parse(tokens)[1];
    if (error) throw error;
  };

  /** The application's lead in milliseconds; NaN is the usual one. */
  const leadFor = (claims: Claims) => {
    const { leadSeconds } = engine.settings;
    if (typeof leadSeconds === "function") {
      try {
        return 1_000 * seconds(leadSeconds(claims), "leadSeconds()");
      } catch (error) {
        log("error", "leadSeconds failed; 60 seconds are used", error);
      }
    }
    return NaN;
  };

  // The page, other tabs, and what is under way.

  const listen = () => {
    listening ??= watch(engine.settings.activityEvents, key, (kind, value) => {
      if (kind === RECORD_CHANGED) return records.read(RECORD_CHANGED, 0);
      if (kind === VISIBLE || kind === RESUMED) listen();
      feed(kind, 0, value);
      if (kind === LEAVING) hangUp();
    });
    channel ??= openChannel(key, (message) => feed(PEER_MESSAGE, 0, 0, 0, message));
  };

  const hangUp = () => {
    channel?.close();
    channel = undefined;
  };

  const begin = (id: number) => {
    const controller = new AbortController();
    running.set(id, controller);
    return controller.signal;
  };

  const end = (id: number) => {
    running.get(id)?.abort();
    running.delete(id);
  };

  // As src/web/effects.rs numbers them.
  const effects: readonly ((...pieces: never[]) => void)[] = [
    // SEND_REFRESH
    (
      attempt: number,
      accessToken: string | null,
      refreshToken: string | null,
      rotationKey: string,
      reason: string,
      lastActivityAt: number,
    ) => {
      const request = {
        accessToken: accessToken ?? undefined,
        refreshToken: refreshToken ?? undefined,
        claims: engine.snapshot.claims,
        rotationKey,
        reason,
        lastActivityAt,
        signal: begin(attempt),
      };
      let thrown: unknown;
      const fail = (error: unknown) => {
        thrown = error;
      };
      askRefresh(engine.settings, request, fail).then(([kind, value, wait, ...texts]) => {
        if (!running.delete(attempt)) return;
        cause = thrown;
        if (kind === REFRESH_GRANTED) return take(kind, attempt, value);
        if (kind === REFRESH_REFUSED) log("info", "the token endpoint refused", value);
        feed(kind, attempt, value as number, wait, ...texts);
      });
    },
    // ABORT_REFRESH
    (attempt: number) => {
      // What was thrown before is not what this one failed of.
      cause = undefined;
      end(attempt);
    },
    // ACQUIRE_LOCK
    (ticket: number) =>
      requestLock(key, begin(ticket), (held) =>
        feed(held ? LOCK_GRANTED : LOCK_UNAVAILABLE, ticket),
      ),
    // RELEASE_LOCK
    end,
    // READ
    (read: number) => records.read(RECORD_READ, read),
    // WRITE
    records.write,
    // FORGET
    records.forget,
    // BROADCAST
    (message: string) => channel?.postMessage(message),
    // SETTLE_TOKEN
    (waiter: number, id: number, token: string, from: number, until: number) =>
      leaving(waiter)?.resolve({ id, token, from, until }),
    // SETTLE
    (waiter: number) => leaving(waiter)?.resolve(),
    // FAIL
    (waiter: number, failure: number) => leaving(waiter)?.reject(blame(failure)),
    // LEASE
    (id: number | undefined, token: string, from: number, until: number) => {
      lease = id === undefined ? id : { id, token, from, until };
    },
    // REVOKE
    (
      revoke: number,
      accessToken: string | null,
      refreshToken: string | null,
      everywhere: number,
    ) =>
      // It goes on when the session is closed.
      askRevoke(engine.settings, log, accessToken, refreshToken, everywhere).then((revoked) =>
        feed(REVOKE_ANSWERED, revoke, +revoked),
      ),
    // EMIT
    observers.emit,
  ];

  // Those who wait.

  const leaving = (waiter: number) => {
    const found = waiters.get(waiter);
    waiters.delete(waiter);
    return found;
  };

  const giveUp = (waiter: number, error: unknown) => {
    leaving(waiter)?.reject(error);
    feed(ABANDON, waiter);
  };

  const engine: Engine = {
    settings: initial,
    snapshot: unknown,
    begun: false,
    requests: { sent: 0, resent: 0, waited: 0, passed: 0 },
    log,
    feed,
    allow: () => false,

    get stats() {
      if (session !== undefined) stats(session);
      const counters = heard<number[]>();
      return statsOf(counters, { ...engine.requests });
    },

    configure(settings) {
      engine.settings = settings;
      engine.allow = judge(settings.origins, (message) => log("warn", message));
      records.use(settings.storage);
      if (session !== undefined) configure(session, ...settings.policy);
      if (listening) {
        listening.abort();
        listening = undefined;
        listen();
      }
    },

    start(tokens) {
      check(tokens);
      cause = undefined;
      const start = ++names;
      work(listen);
      take(START, start, tokens);
      engine.begun = true;
      return () => feed(CANCEL, start);
    },

    async ask(owner, kind, value, signal) {
      signal?.throwIfAborted();
      const waiter = ++names;
      const abort = () => giveUp(waiter, signal!.reason);
      signal?.addEventListener("abort", abort);
      try {
        return await new Promise<Lease | undefined>((resolve, reject) => {
          if (closed) return resolve(undefined);
          waiters.set(waiter, { owner, resolve, reject });
          work(() => {
            if (!waiters.has(waiter)) return;
            if (kind === RESTORE) listen();
            enter(kind, waiter, value);
          });
          if (kind === TOKEN_WANTED && waiters.has(waiter)) engine.requests.waited += 1;
        });
      } finally {
        waiters.delete(waiter);
        signal?.removeEventListener("abort", abort);
      }
    },

    usableLease() {
      const now = Date.now();
      return lease && lease.from <= now && now < lease.until ? lease : undefined;
    },

    adopt(token, lease) {
      try {
        check(token);
        take(HEADER_TOKEN, lease, token);
      } catch (error) {
        log("warn", "the token in a response header cannot be used", error);
      }
    },

    observe: observers.add,

    release(owner) {
      observers.release(owner);
      for (const [waiter, { owner: theirs }] of waiters) {
        if (theirs === owner) giveUp(waiter, gone());
      }
    },

    close() {
      lease = undefined;
      forgetBug();
      const finish = () => {
        closed = true;
        listening?.abort();
        hangUp();
        for (const controller of running.values()) controller.abort();
        queueMicrotask(() => close(session!));
      };
      if (session === undefined) closed = true;
      else
        work(() => {
          enter(DISPOSE);
          inbox.push(finish);
        });
    },
  };
  return engine;
}

/** The error of everything that comes after `dispose`. @internal */
export const gone = (): SessionError => errorOf(DISPOSED)!;
