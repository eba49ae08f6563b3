// The public handle. All handles of one name in this copy of the package share one session.

import { NotSignedInError } from "./errors.ts";
import { sessionFetch } from "./fetch.ts";
import {
  CANCEL,
  HOLD,
  REFRESH_WANTED,
  RESTORE,
  SIGN_OUT,
  START,
  TOUCH,
} from "./inputs.ts";
import type { SessionOptions } from "./options.ts";
import { parseOptions, seconds } from "./settings.ts";
import { disposed, Shared } from "./shared.ts";
import type {
  Session,
  SessionEvents,
  Snapshot,
  Stats,
  TokenResponse,
  TokenSet,
} from "./types.ts";

const sessions = new Map<string, { readonly shared: Shared; readonly options: string; handles: number }>();

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
  const shared = known?.shared ?? new Shared(settings);
  if (known) {
    shared.configure(settings);
    if (known.options !== written) {
      shared.log("warn", `createSession was called again for "${name}": its newer options are used`);
    }
  }
  sessions.set(name, { shared, options: written, handles: (known?.handles ?? 0) + 1 });
  return new Handle(shared, () => {
    const entry = sessions.get(name)!;
    entry.handles -= 1;
    if (entry.handles > 0) return;
    sessions.delete(name);
    shared.close();
  });
}

class Handle implements Session {
  readonly #shared: Shared;
  readonly #holds = new Set<() => void>();
  #release: (() => void) | undefined;

  constructor(shared: Shared, release: () => void) {
    this.#shared = shared;
    this.#release = release;
  }

  /** Bound, so that it can be handed to whoever wants a `fetch`. */
  readonly fetch: typeof fetch = async (input, init) =>
    sessionFetch(this.#session(), this, input, init);

  get snapshot(): Snapshot {
    return this.#shared.snapshot;
  }

  get stats(): Stats {
    return this.#shared.stats;
  }

  start(tokens: string | TokenSet | TokenResponse): () => void {
    const session = this.#session();
    const start = session.name();
    session.use(this, (engine, queued) => engine.offer(START, start, tokens, queued));
    session.begun = true;
    return () => {
      if (this.#release) session.use(this, (engine) => engine.feed(CANCEL, start));
    };
  }

  cancel(): void {
    const session = this.#session();
    session.begun = true;
    session.use(this, (engine) => engine.feed(CANCEL));
  }

  async signOut(options: { readonly everywhere?: boolean | undefined } = {}): Promise<void> {
    const session = this.#session();
    session.begun = true;
    const everywhere = options.everywhere === true;
    await session.ask(this, (engine, waiter) => engine.feed(SIGN_OUT, waiter, +everywhere));
  }

  async restore(): Promise<Snapshot> {
    const session = this.#session();
    session.begun = true;
    await session.ask(this, (engine, waiter) => {
      engine.listen();
      engine.feed(RESTORE, waiter);
    });
    return session.snapshot;
  }

  async getAccessToken(
    options: {
      readonly minValiditySeconds?: number | undefined;
      readonly signal?: AbortSignal | undefined;
    } = {},
  ): Promise<string> {
    const session = this.#session();
    const { minValiditySeconds = 0, signal } = options;
    const validity = seconds()(minValiditySeconds, "minValiditySeconds");
    const lease =
      (validity === 0 && !signal?.aborted ? session.usableLease() : undefined) ??
      (await session.token(this, validity * 1_000, signal));
    if (lease) return lease.token;
    throw new NotSignedInError(
      "nobody is signed in: call start() after login, or await restore() on page load",
    );
  }

  async refresh(reason?: string): Promise<Snapshot> {
    const session = this.#session();
    session.log("debug", "a refresh was asked for", reason);
    await session.ask(this, (engine, waiter) => engine.feed(REFRESH_WANTED, waiter));
    return session.snapshot;
  }

  touch(): void {
    const session = this.#session();
    if (session.begun) session.use(this, (engine) => engine.feed(TOUCH));
  }

  hold(): () => void {
    const session = this.#session();
    session.use(this, (engine) => engine.feed(HOLD, 0, 1));
    const release = () => {
      if (this.#holds.delete(release)) session.use(this, (engine) => engine.feed(HOLD));
    };
    this.#holds.add(release);
    return release;
  }

  subscribe(listener: () => void): () => void {
    return this.#session().observers.add(this, undefined, listener);
  }

  on<T extends keyof SessionEvents>(
    type: T,
    listener: (event: SessionEvents[T]) => void,
  ): () => void {
    return this.#session().observers.add(this, type, listener);
  }

  dispose(): void {
    const release = this.#release;
    if (!release) return;
    for (const hold of this.#holds) hold();
    this.#release = undefined;
    this.#shared.release(this);
    release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #session(): Shared {
    if (!this.#release) throw disposed();
    return this.#shared;
  }
}
