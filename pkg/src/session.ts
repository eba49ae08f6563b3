// The public handle. All handles of one name in this copy of the package share one session.

import { NotSignedInError } from "./errors.ts";
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
import type { Session } from "./types.ts";

const sessions = new Map<string, { readonly shared: Engine; readonly options: string; handles: number }>();

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
  const known = sessions.get(name);
  const shared = known?.shared ?? openEngine(settings);
  if (known) {
    shared.configure(settings);
    if (known.options !== written) {
      shared.log("warn", `createSession was called again for "${name}": its newer options are used`);
    }
  }
  sessions.set(name, { shared, options: written, handles: (known?.handles ?? 0) + 1 });
  return handleOf(shared, () => {
    const entry = sessions.get(name)!;
    entry.handles -= 1;
    if (entry.handles > 0) return;
    sessions.delete(name);
    shared.close();
  });
}

function handleOf(shared: Engine, release: () => void): Session {
  const holds = new Set<() => void>();
  let disposed = false;
  const check = () => {
    if (disposed) throw gone();
  };
  const begin = () => {
    check();
    shared.begun = true;
  };
  const dispose = () => {
    if (disposed) return;
    for (const hold of holds) hold();
    disposed = true;
    shared.release(handle);
    release();
  };

  const handle: Session = {
    async fetch(input, init) {
      check();
      return sessionFetch(shared, handle, input, init);
    },

    get snapshot() {
      return shared.snapshot;
    },

    get stats() {
      return shared.stats;
    },

    start(tokens) {
      check();
      const cancel = shared.start(tokens);
      return () => {
        if (!disposed) cancel();
      };
    },

    cancel() {
      begin();
      shared.feed(CANCEL);
    },

    async signOut(options) {
      begin();
      await shared.ask(handle, SIGN_OUT, +(options?.everywhere === true));
    },

    async restore() {
      begin();
      await shared.ask(handle, RESTORE);
      return shared.snapshot;
    },

    async getAccessToken({ minValiditySeconds = 0, signal } = {}) {
      check();
      const validity = 1_000 * seconds(minValiditySeconds, "minValiditySeconds");
      const lease = await tokenFor(shared, handle, validity, signal);
      if (lease) return lease.token;
      throw new NotSignedInError(
        "nobody is signed in: call start() after login, or await restore() on page load",
      );
    },

    async refresh(reason) {
      check();
      shared.log("debug", "a refresh was asked for", reason);
      await shared.ask(handle, REFRESH_WANTED);
      return shared.snapshot;
    },

    touch() {
      check();
      if (shared.begun) shared.feed(TOUCH);
    },

    hold() {
      check();
      shared.feed(HOLD, 0, 1);
      const end = () => {
        if (holds.delete(end)) shared.feed(HOLD);
      };
      holds.add(end);
      return end;
    },

    subscribe: (listener) => handle.on(undefined as never, listener),

    on(type, listener) {
      check();
      return shared.observe(handle, type, listener);
    },

    dispose,
    [Symbol.dispose]: dispose,
  };
  return handle;
}
