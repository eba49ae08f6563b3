// The public handle. All handles of one name in this copy of the package share one session.

import { errorOf, NOT_SIGNED_IN } from "./failures.ts";
import { sessionFetch, tokenFor } from "./fetch.ts";
import {
  CANCEL,
  HOLD,
  REFRESH_WANTED,
  RESTORE,
  SIGN_OUT,
  TOUCH,
} from "./inputs.ts";
import type { SessionOptions } from "./options.ts";
import { parseOptions, seconds } from "./settings.ts";
import { type Engine, gone, openEngine } from "./engine.ts";
import { shareWaits } from "./shared-waits.ts";
import type { Session } from "./types.ts";

/** By name; `written` are the options as they were given last. */
const sessions = new Map<string, [engine: Engine, written: string, handles: number]>();

/**
 * Creates a session, or another handle of the one with that name. Synchronous and inert: network,
 * timers, storage and the page stay untouched until `start`, `restore` or another call.
 *
 * @throws `ERR_INVALID_OPTION`, naming the option, its value and the remedy
 */
export function createSession(options: SessionOptions): Session {
  const settings = parseOptions(options);
  const { name } = settings;
  // Only plain values: functions and objects may differ each time a component is rendered.
  const written = Object.entries(options)
    .filter(([, value]) => Object(value) !== value)
    .join();
  const known = sessions.get(name) ?? [openEngine(settings), written, 0];
  const [engine, before] = known;
  engine.configure(settings);
  if (before !== written) {
    engine.log("warn", `other options for "${name}": the newer options are used`);
  }
  known[1] = written;
  known[2] += 1;
  sessions.set(name, known);
  return handleOf(engine, () => {
    if (--known[2] > 0) return;
    sessions.delete(name);
    engine.close();
  });
}

function handleOf(engine: Engine, release: () => void): Session {
  const holds = new Set<() => void>();
  let disposed = false;
  const check = () => {
    if (disposed) throw gone();
  };
  const begin = () => {
    check();
    engine.begun = true;
  };
  const dispose = () => {
    if (disposed) return;
    for (const hold of holds) hold();
    disposed = true;
    engine.release(handle);
    release();
  };

  const ask = shareWaits(engine.requests, (kind, value, signal) =>
    engine.ask(handle, kind, value, signal),
  );

  const handle: Session = {
    // Not async: a second promise around each request would be felt.
    fetch: (input, init) =>
      disposed ? Promise.reject(gone()) : sessionFetch(engine, ask, input, init),

    get snapshot() {
      return engine.snapshot;
    },

    get stats() {
      return engine.stats;
    },

    start(tokens) {
      check();
      const cancel = engine.start(tokens);
      return () => {
        if (!disposed) cancel();
      };
    },

    cancel() {
      begin();
      engine.feed(CANCEL);
    },

    async signOut(options) {
      begin();
      await engine.ask(handle, SIGN_OUT, +(options?.everywhere === true));
    },

    async restore() {
      begin();
      await engine.ask(handle, RESTORE);
      return engine.snapshot;
    },

    async getAccessToken({ minValiditySeconds = 0, signal } = {}) {
      check();
      const validity = 1_000 * seconds(minValiditySeconds, "minValiditySeconds");
      const lease = await tokenFor(engine, ask, validity, signal);
      if (lease) return lease.token;
      throw errorOf(NOT_SIGNED_IN);
    },

    async refresh(reason) {
      check();
      engine.log("debug", "a refresh was asked for", reason);
      await engine.ask(handle, REFRESH_WANTED);
      return engine.snapshot;
    },

    touch() {
      check();
      if (engine.begun) engine.feed(TOUCH);
    },

    hold() {
      check();
      engine.feed(HOLD, 0, 1);
      const end = () => {
        if (holds.delete(end)) engine.feed(HOLD);
      };
      holds.add(end);
      return end;
    },

    subscribe: (listener) => handle.on(undefined as never, listener),

    on(type, listener) {
      check();
      return engine.observe(handle, type, listener);
    },

    dispose,
    [Symbol.dispose]: dispose,
  };
  return handle;
}
