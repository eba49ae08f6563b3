// The loop around the machine in the wasm, and what it does for it.

import {
  close,
  configure,
  grant,
  input,
  poll,
  rest,
  stats,
} from "../wasm/everfresh.js";

import { readJwt } from "./decode.ts";
import { errorOf, type SessionError, type SessionErrorCode } from "./errors.ts";
import { heard, say } from "./host.ts";
import {
  DISPOSE,
  LEAVING,
  LOCK_GRANTED,
  LOCK_UNAVAILABLE,
  PEER_MESSAGE,
  RECORD_CHANGED,
  RECORD_READ,
  REFRESH_FAILED,
  REFRESH_GRANTED,
  REFRESH_REFUSED,
  REFRESH_UNREACHABLE,
  RESUMED,
  REVOKE_ANSWERED,
  START,
  TIMER_FIRED,
  VISIBLE,
} from "./inputs.ts";
import type { Settings } from "./options.ts";
import { type Channel, openChannel } from "./platform/channel.ts";
import { requestLock } from "./platform/lock.ts";
import { watch } from "./platform/page.ts";
import { Records } from "./platform/storage.ts";
import { type Answer, sendRefresh, sendRevoke } from "./platform/transport.ts";
import { readTokens } from "./tokens.ts";
import type { Claims } from "./types.ts";

/** The right to use a token unasked within a window of the wall clock. @internal */
export interface Lease {
  readonly id: number;
  readonly token: string;
  readonly from: number;
  readonly until: number;
}

/** What a session looks like, as the wasm says it. @internal */
export type Picture = readonly [
  status: string,
  reason: string | null,
  subject: string | null,
  generation: number,
  expiresAt: number | null,
  refreshAt: number | null,
  idleAt: number | null,
  endsAt: number | null,
  secondsLeft: number | null,
  token: string | null,
  code?: SessionErrorCode,
  message?: string,
];

/** Whom the engine works for. @internal */
export interface Face {
  readonly settings: Settings;
  readonly claims: Claims | null;
  /** The application's lead for the claims of a token, in milliseconds; NaN is the usual one. */
  lead(claims: Claims): number;
  settle(waiter: number, outcome: Lease | boolean): void;
  fail(waiter: number, error: SessionError): void;
  /** What requests may carry from now on. */
  lease(lease: Lease | undefined): void;
  emit(type: string, reason: string | null, time: number | null, error?: SessionError): void;
  /** All is done; this is how things stand. */
  show(picture: Picture): void;
}

/** Longer delays overflow and fire at once. The machine is then called early and asks again. */
const LONGEST = 0x7fff_ffff;

// What may be under way, one of each.
const LOCK = 0;
const FLIGHT = 1;
const REVOCATION = 2;

let engines = 0;

/**
 * One session of the wasm. Whatever happens becomes an input. While one is worked off the others
 * queue, so that nothing that is called on the way meets a machine in the middle of its work.
 *
 * @internal
 */
export class Engine {
  readonly #session = engines++;
  readonly #face: Face;
  readonly #name: string;
  readonly #records: Records;
  readonly #inbox: (() => void)[] = [];
  readonly #running: [id: number, controller: AbortController][] = [];
  #working = false;
  #closed = false;
  #timer: unknown;
  #listening: AbortController | undefined;
  #channel: Channel | undefined;

  constructor(face: Face) {
    this.#face = face;
    this.#name = `everfresh:${face.settings.name}`;
    this.#records = new Records(this.#name, (act) => this.#work(act), this.#session);
    this.configure();
  }

  /** Newer options win. */
  configure(): void {
    const { policy, storage } = this.#face.settings;
    configure(this.#session, ...policy);
    this.#records.use(storage);
    if (this.#listening) {
      this.#listening.abort();
      this.#listening = undefined;
      this.listen();
    }
  }

  /** Something happened; `inputs.ts` says what there is. */
  feed(kind: number, id = 0, value = 0, wait = 0, ...texts: string[]): void {
    this.#work(() => {
      say(...texts);
      input(this.#session, kind, id, value, wait);
    });
  }

  /**
   * Somebody brought tokens.
   *
   * @throws when they cannot be used, and then nothing has changed, unless the start was `queued`:
   * it can only be answered by ending the session
   */
  offer(kind: number, id: number, tokens: unknown, queued?: boolean): void {
    const error = this.#parse(tokens)[1];
    if (error && !queued) throw error;
    if (kind === START) this.listen();
    this.#grant(kind, id, tokens);
  }

  /** Begins to listen to the page and to other tabs; once is enough. */
  listen(): void {
    this.#listening ??= watch(this.#face.settings.activityEvents, this.#name, (kind, value) => {
      if (kind === RECORD_CHANGED) return this.#records.read(RECORD_CHANGED, 0);
      if (kind === VISIBLE || kind === RESUMED) this.listen();
      this.feed(kind, 0, value);
      if (kind === LEAVING) this.#hangUp();
    });
    this.#channel ??= openChannel(this.#name, (message) =>
      this.feed(PEER_MESSAGE, 0, 0, 0, message),
    );
  }

  /** The counters. */
  stats(): number[] {
    stats(this.#session);
    return heard();
  }

  #work(act: () => void): void {
    if (this.#closed) return;
    this.#inbox.push(act);
    if (this.#working) return;
    this.#working = true;
    for (let next; (next = this.#inbox.shift()); ) {
      next();
      for (let kind; (kind = poll(this.#session)) >= 0; ) this.#effects[kind]!(...heard<never[]>());
    }
    const delay = rest(this.#session);
    const picture = heard<Picture>();
    clearTimeout(this.#timer as number);
    if (delay >= 0) {
      this.#timer = setTimeout(() => this.feed(TIMER_FIRED), Math.min(delay, LONGEST));
    }
    this.#working = false;
    this.#face.show(picture);
  }

  /** Lets go of everything. */
  dispose(): void {
    this.#work(() => {
      input(this.#session, DISPOSE, 0, 0, 0);
      this.#inbox.push(() => this.#close());
    });
  }

  #close(): void {
    this.#closed = this.#records.closed = true;
    this.#listening?.abort();
    this.#hangUp();
    // What never ran left a hole.
    this.#running.forEach(([, controller], what) => {
      if (what < REVOCATION) controller.abort();
    });
    queueMicrotask(() => close(this.#session));
  }

  #hangUp(): void {
    this.#channel?.close();
    this.#channel = undefined;
  }

  #begin(what: number, id: number, controller: AbortController): void {
    this.#running[what]?.[1].abort();
    this.#running[what] = [id, controller];
  }

  #end(what: number, id: number): void {
    const [running, controller] = this.#running[what] ?? [];
    if (running === id) controller!.abort();
  }

  /** Leaves a token response to the next input; the claims, and why it cannot be used. */
  #parse(tokens: unknown): [claims: Claims, error?: SessionError] {
    const [texts, ...seconds] = readTokens(tokens);
    const [claims, ...numbers] = readJwt(texts[0]!);
    const { sub } = claims;
    say(...texts, ...(sub === undefined ? [] : [sub]));
    grant(...seconds, ...numbers, sub !== undefined);
    const [code, message] = heard<[SessionErrorCode?, string?]>();
    return code ? [claims, errorOf(code, message!)] : [claims];
  }

  #grant(kind: number, id: number, tokens: unknown): void {
    this.#work(() => {
      const [claims, error] = this.#parse(tokens);
      input(this.#session, kind, id, error ? NaN : this.#face.lead(claims), 0);
    });
  }

  #answered(attempt: number, answer: Answer): void {
    const { failed, terminal, status = 200, tokens } = answer;
    if (failed) this.feed(REFRESH_FAILED, attempt, +terminal!);
    else if (!status) this.feed(REFRESH_UNREACHABLE, attempt);
    else if (status < 400) this.#grant(REFRESH_GRANTED, attempt, tokens);
    else {
      const { error = "", errorCode = "", retryAfter = NaN } = answer;
      this.feed(REFRESH_REFUSED, attempt, status, retryAfter, error, errorCode);
    }
  }

  // As src/web/effects.rs numbers them.
  readonly #effects: readonly ((...pieces: never[]) => void)[] = [
    // SEND_REFRESH
    (
      attempt: number,
      accessToken: string | null,
      refreshToken: string | null,
      rotationKey: string,
      reason: string,
      lastActivityAt: number,
    ) => {
      const { settings, claims } = this.#face;
      const request = {
        accessToken: accessToken ?? undefined,
        refreshToken: refreshToken ?? undefined,
        claims,
        rotationKey,
        reason,
        lastActivityAt,
      };
      const done = (answer: Answer) => this.#answered(attempt, answer);
      this.#begin(FLIGHT, attempt, sendRefresh(settings.endpoint, request, done));
    },
    // ABORT_REFRESH
    (attempt: number) => this.#end(FLIGHT, attempt),
    // ACQUIRE_LOCK
    (ticket: number) => {
      const done = (held: boolean) => this.feed(held ? LOCK_GRANTED : LOCK_UNAVAILABLE, ticket);
      this.#begin(LOCK, ticket, requestLock(this.#name, done));
    },
    // RELEASE_LOCK
    (ticket: number) => this.#end(LOCK, ticket),
    // READ
    (read: number) => this.#records.read(RECORD_READ, read),
    // WRITE
    (write: number, record: string) => this.#records.write(write, record),
    // FORGET
    () => this.#records.forget(),
    // BROADCAST
    (message: string) => this.#channel?.post(message),
    // SETTLE_TOKEN
    (waiter: number, id: number, token: string, from: number, until: number) =>
      this.#face.settle(waiter, { id, token, from, until }),
    // SETTLE
    (waiter: number) => this.#face.settle(waiter, true),
    // FAIL
    (waiter: number, code: SessionErrorCode, message: string) =>
      this.#face.fail(waiter, errorOf(code, message)),
    // LEASE
    (id: number | undefined, token: string, from: number, until: number) =>
      this.#face.lease(id === undefined ? undefined : { id, token, from, until }),
    // REVOKE
    (
      revoke: number,
      accessToken: string | null,
      refreshToken: string | null,
      everywhere: number,
    ) => {
      const done = (revoked: boolean) => this.feed(REVOKE_ANSWERED, revoke, +revoked);
      const { endpoint } = this.#face.settings;
      const request = { accessToken, refreshToken, everywhere };
      // Several sign-outs may be under way, and each goes on when the session is closed.
      this.#begin(REVOCATION + revoke, revoke, sendRevoke(endpoint, request, done));
    },
    // EMIT
    (
      type: string,
      reason: string | null = null,
      time: number | null = null,
      code?: SessionErrorCode,
      message?: string,
    ) => this.#face.emit(type, reason, time, code && errorOf(code, message!)),
  ];
}
