// The shared record, and the places that keep it: Web Storage, or what the application gave.

import { input, joined, record } from "../../wasm/everfresh.js";

import { heard, say } from "../host.ts";
import { RECORD_WRITTEN } from "../inputs.ts";
import type { TokenStorage } from "../options.ts";

type Text = string | null | undefined;

const web = (area: "localStorage" | "sessionStorage"): TokenStorage => ({
  get: (key) => globalThis[area].getItem(key),
  set: (key, value) => globalThis[area].setItem(key, value),
  remove: (key) => globalThis[area].removeItem(key),
});
const local = web("localStorage");
const session = web("sessionStorage");

/** Leaves a text to the next input, joined with others; false when it is no record. */
const leave = (text: string): boolean => {
  say(text);
  return record();
};

/**
 * Where a session's record lies, and the writes under way. A write reads, joins and stores. Writes
 * follow one another, so that a slow place cannot store an older record last.
 *
 * @internal
 */
export class Records {
  /** Answers that come later are not delivered. */
  closed = false;
  readonly #key: string;
  readonly #work: (act: () => void) => void;
  readonly #session: number;
  readonly #writes: [write: number, text: string][] = [];
  /** The first one keeps the tokens, if any does. */
  #places: TokenStorage[] = [];
  #keepsTokens = false;

  /** `work` runs what feeds the machine. */
  constructor(key: string, work: (act: () => void) => void, session: number) {
    this.#key = key;
    this.#work = work;
    this.#session = session;
  }

  /** Uses the places of the option `storage` from now on. */
  use(storage: string | TokenStorage): void {
    this.#keepsTokens = storage !== "memory";
    if (typeof storage === "object") this.#places = [storage];
    else this.#places = storage === "session" ? [session, local] : [local];
  }

  /** Reads for an input. */
  read(kind: number, id: number): void {
    this.#load((texts) =>
      this.#work(() => {
        if (texts) this.#find(texts);
        input(this.#session, kind, id, +!!texts, 0);
      }),
    );
  }

  /** Joins a record with what lies there, and stores it. */
  write(write: number, text: string): void {
    if (this.#writes.push([write, text]) === 1) this.#next();
  }

  /** Drops the tokens that only this tab keeps. */
  forget(): void {
    if (this.#places.length > 1) this.#try(() => session.remove(this.#key));
  }

  #next(): void {
    const [write, mine] = this.#writes[0]!;
    const done = (text?: string) => {
      this.#writes.shift();
      this.#work(() => {
        if (text) leave(text);
        input(this.#session, RECORD_WRITTEN, write, 0, 0);
      });
      if (this.#writes.length) this.#next();
    };
    this.#load((texts) => {
      if (!texts) return done();
      this.#find(texts);
      leave(mine);
      joined();
      const [full, bare] = heard<[string, string]>();
      const kept = this.#keepsTokens ? full : bare;
      this.#try(
        // Only an application's own place may answer later, and it is alone.
        () => this.#places.map((place, i) => place.set(this.#key, i ? bare : kept))[0],
        () => done(full),
        () => done(),
      );
    });
  }

  #load(then: (texts?: Text[]) => void): void {
    this.#try(
      () => {
        const texts = this.#places.map((place) => place.get(this.#key));
        return texts.length > 1 ? texts : texts[0];
      },
      (texts) => then(Array.isArray(texts) ? texts : [texts as Text]),
      () => then(),
    );
  }

  /** Leaves what the texts say to the next input. What is no record is moved out of the way. */
  #find(texts: Text[]): void {
    texts.forEach((text, i) => {
      if (typeof text !== "string" || leave(text)) return;
      const place = this.#places[i]!;
      this.#try(() => {
        const moved = place.set(`${this.#key}:set-aside`, text) as Promise<unknown> | undefined;
        return moved?.then ? moved.then(() => place.remove(this.#key)) : place.remove(this.#key);
      });
    });
  }

  /** Calls one of two functions, at once unless `act` returns a promise. */
  #try(
    act: () => unknown,
    succeed: (value: unknown) => void = () => {},
    fail: () => void = () => {},
  ): void {
    let value: unknown;
    try {
      value = act();
    } catch {
      return fail();
    }
    if (typeof (value as PromiseLike<unknown> | undefined)?.then !== "function") {
      return succeed(value);
    }
    const unlessClosed = (then: (value: unknown) => void) => (value: unknown) => {
      if (!this.closed) then(value);
    };
    (value as PromiseLike<unknown>).then(unlessClosed(succeed), unlessClosed(fail));
  }
}
