// The public handle. All handles of one name in this copy of the package share one session.

import { DISPOSED, Engine } from "./engine.ts";
import { DisposedError, NotSignedInError } from "./errors.ts";
import { authorizationFor, newerAuthorization, sessionFetch, tokenFor } from "./fetch.ts";
import type { SessionOptions } from "./options.ts";
import { own } from "./own.ts";
import { parseOptions, seconds } from "./parse-options.ts";
import { type Ask, shareWaits } from "./shared-waits.ts";
import type { Session } from "./types.ts";

/** By name; `written` are the options as they were given last. */
const sessions = new Map<string, [engine: Engine, written: string, handles: number]>();

/**
 * Creates a session, or another handle of the one with that name. Synchronous and inert: network,
 * timers, storage and the page stay untouched until `start`, `restore` or another call.
 *
 * @throws `ERR_INVALID_OPTION`, naming the option, its value and the remedy
 * @example const session = createSession({ refresh: "/oauth/token", storage: "session" });
 */
export function createSession(options: SessionOptions): Session {
  const settings = parseOptions(options);
  const { name } = settings;
  // Only plain values: functions and objects may differ each time a component is rendered.
  const written = Object.entries(options)
    .filter(([, value]) => Object(value) !== value)
    .join();
  const known = sessions.get(name!) ?? [new Engine(settings), written, 0];
  const [engine, before] = known;
  engine.configure(settings);
  if (before !== written) {
    engine.log("warn", `other options for "${name}": the newer options are used`);
  }
  known[1] = written;
  known[2] += 1;
  if (name) sessions.set(name, known);
  return handleOf(engine, () => {
    if (--known[2] > 0) return;
    sessions.delete(name!);
    engine.close();
  });
}

function handleOf(engine: Engine, release: () => void): Session {
  const holds = new Set<() => void>();
  let disposed = false;
  const disposedError = () => new DisposedError(DISPOSED);
  const check = () => {
    if (disposed) throw disposedError();
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

  const handle: Session = {
    // Not async: a second promise around each request would be felt.
    fetch: (input, init) =>
      disposed ? Promise.reject(disposedError()) : sessionFetch(engine, ask, input, init),

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
      engine.run((rust) => rust.cancel());
    },

    async signOut(options) {
      begin();
      const everywhere = own(options).everywhere === true;
      await engine.ask(handle, (rust, waiter) => rust.signOut(waiter, everywhere));
    },

    async restore() {
      begin();
      await engine.ask(handle, (rust, waiter) => rust.restore(waiter));
      return engine.snapshot;
    },

    async getAccessToken(options) {
      check();
      const { minValiditySeconds = 0, signal } = own(options);
      const validity = 1_000 * seconds(minValiditySeconds, "minValiditySeconds");
      const lease = !engine.cookies && (await tokenFor(engine, ask, validity, signal));
      if (lease) return lease.token;
      throw new NotSignedInError(
        "nobody is signed in, or style cookies keeps the token from scripts: call start() or await " +
          "restore() first; snapshot.reason says why a session ended",
      );
    },

    async authorize(url) {
      check();
      return authorizationFor(engine, ask, String(url));
    },

    async reauthorize(url, sent) {
      check();
      return newerAuthorization(engine, ask, String(url), sent);
    },

    async refresh(reason) {
      check();
      engine.checkCaller();
      engine.log("debug", "a refresh was asked for", reason);
      await engine.ask(handle, (rust, waiter) => rust.refresh(waiter));
      return engine.snapshot;
    },

    touch() {
      check();
      if (engine.begun) engine.run((rust) => rust.touch());
    },

    hold() {
      check();
      engine.run((rust) => rust.hold(true));
      const end = () => {
        if (holds.delete(end)) engine.run((rust) => rust.hold(false));
      };
      holds.add(end);
      return end;
    },

    subscribe: (listener) => handle.on(undefined as never, listener),

    on(type, listener) {
      check();
      return engine.observers.add(handle, type, listener);
    },

    dispose,
    [Symbol.dispose]: dispose,
  };

  const share = shareWaits(engine, handle);
  const ask: Ask = (...wait) => {
    engine.checkCaller();
    return share(...wait);
  };
  return handle;
}
