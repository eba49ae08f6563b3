// The shared record, and the places that keep it: Web Storage, or what the application gave.

import { joined, record } from "../../wasm/everfresh_bg.js";

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

/** Where a session's record lies. @internal */
export interface Records {
  /** Uses the places of the option `storage` from now on. */
  use(storage: string | TokenStorage): void;
  /** Reads for an input. */
  read(kind: number, id: number): void;
  /** Joins a record with what lies there, and stores it. */
  write(write: number, text: string): void;
  /** Drops the tokens that only this tab keeps. */
  forget(): void;
}

/**
 * Opens the record of a session. A write reads, joins and stores. Writes follow one another, so that
 * a slow place cannot store an older record last. They end though the session is closed: what was
 * signed out must not come back.
 *
 * @param work - runs what feeds the machine, until the session is closed
 * @param enter - an input of the machine
 * @internal
 */
export function openRecords(
  key: string,
  work: (act: () => void) => void,
  enter: (kind: number, id: number, value?: number) => void,
): Records {
  const writes: [write: number, text: string][] = [];
  /** The first one keeps the tokens, if any does. */
  let places: TokenStorage[];
  let keepsTokens: boolean;

  /** Calls a function, and tells at once what came of it, unless that is a promise. */
  const attempt = (
    act: () => unknown,
    then: (ok: boolean, value?: unknown) => void = () => {},
  ): void => {
    let value: unknown;
    try {
      value = act();
    } catch {
      return then(false);
    }
    if (typeof (value as PromiseLike<unknown> | undefined)?.then !== "function") {
      return then(true, value);
    }
    (value as PromiseLike<unknown>).then(
      (value) => then(true, value),
      () => then(false),
    );
  };

  const load = (then: (texts: Text[] | undefined) => void) =>
    attempt(
      () => {
        const texts = places.map((place) => place.get(key));
        // Only an application's own place may answer later, and it is alone.
        return texts.length > 1 ? texts : texts[0];
      },
      (ok, found) => then(ok ? ([found].flat() as Text[]) : undefined),
    );

  /** Leaves what the texts say to the next input. What is no record is moved out of the way. */
  const find = (texts: Text[]) =>
    texts.forEach((text, i) => {
      if (typeof text !== "string" || leave(text)) return;
      const place = places[i]!;
      attempt(() =>
        // What is written takes its place: to remove it then may remove what was written.
        Promise.all([place.set(`${key}:set-aside`, text), writes[0] ?? place.remove(key)]),
      );
    });

  const next = () => {
    const [write, mine] = writes[0]!;
    const done = (text?: string) => {
      writes.shift();
      work(() => {
        if (text) leave(text);
        enter(RECORD_WRITTEN, write);
      });
      if (writes.length) next();
    };
    load((texts) => {
      if (!texts) return done();
      find(texts);
      leave(mine);
      joined();
      const [full, bare] = heard<[string, string]>();
      const store = (place: TokenStorage, i: number) => {
        const text = keepsTokens && !i ? full : bare;
        // Written again, it could take the place of what another tab writes in this moment.
        return text === texts[i] || place.set(key, text);
      };
      attempt(
        () => places.map(store)[0],
        (ok) => done(ok ? full : undefined),
      );
    });
  };

  return {
    use(storage) {
      keepsTokens = storage !== "memory";
      if (typeof storage !== "string") places = [storage];
      else places = storage === "session" ? [session, local] : [local];
    },
    read(kind, id) {
      load((texts) =>
        work(() => {
          if (texts) find(texts);
          enter(kind, id, +!!texts);
        }),
      );
    },
    write(write, text) {
      if (writes.push([write, text]) === 1) next();
    },
    forget() {
      if (places.length > 1) attempt(() => session.remove(key));
    },
  };
}
