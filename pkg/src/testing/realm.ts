// A browser in memory: what its tabs share, and the globals of each.

import type { KitClock } from "./clock.ts";
import { MemoryLocks } from "./locks.ts";

/** What the tabs of one browser share. @internal */
export class Browser {
  readonly local: MemoryArea = new MemoryArea();
  readonly realms: Set<Realm> = new Set();
  readonly #locks = new MemoryLocks();
  readonly clock: KitClock;

  constructor(clock: KitClock) {
    this.clock = clock;
  }

  /** A lock for a tab; one that is gone holds nothing. */
  request(realm: Realm, name: string, signal: AbortSignal | undefined, act: () => unknown): Promise<unknown> {
    return this.#locks.request(name, { signal }, () =>
      realm.gone ? undefined : Promise.race([act(), realm.end]),
    );
  }

  /** Tells the other tabs that storage changed. */
  stored(from: Realm, key: string | null): void {
    for (const realm of this.realms) if (realm !== from) realm.deliver(() => realm.fire("storage", { key }));
  }
}

/** Web Storage. @internal */
export class MemoryArea {
  readonly items: Map<string, string> = new Map();
}

type Fields = Readonly<Record<string, unknown>>;

/** The globals of one tab. @internal */
export class Realm {
  gone = false;
  /** Resolves when the tab is gone. */
  readonly end: Promise<void>;
  readonly globals: Record<string, unknown>;
  visibility = "visible";
  online = true;
  readonly #browser: Browser;
  #listeners: { type: string; listener: (event: Fields) => void; signal: AbortSignal | undefined }[] = [];
  readonly #channels = new Set<{ name: string; onmessage: ((event: Fields) => void) | null }>();
  /** What came while the tab was frozen. */
  readonly #late: (() => void)[] = [];
  #ended: () => void = () => {};

  constructor(browser: Browser, fetch: typeof globalThis.fetch) {
    this.#browser = browser;
    this.end = new Promise((ended) => (this.#ended = ended));
    browser.realms.add(this);
    this.globals = this.#make(fetch);
  }

  /** Something happens on the page. */
  fire(type: string, fields: Fields = {}): void {
    const event = { target: this.globals, type, ...fields };
    this.#listeners = this.#listeners.filter(({ signal }) => !signal?.aborted);
    for (const known of [...this.#listeners]) if (known.type === type) known.listener(event);
  }

  /** Lets a message arrive in its own turn, or when the tab goes on. */
  deliver(act: () => void): void {
    queueMicrotask(() => {
      if (this.gone) return;
      if (this.#browser.clock.frozen.has(this)) this.#late.push(act);
      else act();
    });
  }

  freeze(frozen: boolean): void {
    if (frozen) this.#browser.clock.frozen.add(this);
    else if (this.#browser.clock.frozen.delete(this)) for (const act of this.#late.splice(0)) act();
  }

  /** The tab is gone, without a word. */
  destroy(): void {
    this.gone = true;
    this.#browser.clock.forget(this);
    this.#browser.realms.delete(this);
    this.#channels.clear();
    this.#listeners = [];
    this.#ended();
  }

  #make(fetch: typeof globalThis.fetch): Record<string, unknown> {
    const browser = this.#browser;
    const { clock } = browser;
    const realm = this;
    const RealDate = Date;
    const channels = this.#channels;
    const location = new URL("https://app.test/");
    class BroadcastChannel {
      onmessage: ((event: Fields) => void) | null = null;
      readonly name: string;
      constructor(name: string) {
        this.name = name;
        channels.add(this);
      }
      postMessage(data: unknown): void {
        for (const other of browser.realms) if (other !== realm) other.#hear(this.name, data);
      }
      close(): void {
        channels.delete(this);
      }
    }
    const own = {
      Date: class extends RealDate {
        constructor(value?: number | string) {
          super(value ?? clock.local);
        }
        static override now(): number {
          return clock.local;
        }
      },
      performance: { now: () => clock.monotonic },
      setTimeout: (act: () => void, delay: number) => clock.set(this, act, delay),
      clearTimeout: (id: number) => clock.clear(id),
      BroadcastChannel,
      fetch,
      location,
      localStorage: this.#area(browser.local, true),
      sessionStorage: this.#area(new MemoryArea(), false),
      navigator: {
        get onLine() {
          return realm.online;
        },
        locks: {
          request: (name: string, { signal }: { signal?: AbortSignal }, act: () => unknown) =>
            browser.request(this, name, signal, act),
        },
      },
      document: {
        baseURI: location.href,
        get visibilityState() {
          return realm.visibility;
        },
      },
      reportError: (error: unknown) => console.error(error),
      Zone: undefined,
      addEventListener: (
        type: string,
        listener: (event: Fields) => void,
        options?: { signal?: AbortSignal },
      ) => void this.#listeners.push({ type, listener, signal: options?.signal }),
    };
    return Object.defineProperties(Object.create(globalThis), Object.getOwnPropertyDescriptors(own));
  }

  #hear(name: string, data: unknown): void {
    for (const channel of this.#channels) {
      if (channel.name === name) this.deliver(() => channel.onmessage?.({ data }));
    }
  }

  #area({ items }: MemoryArea, shared: boolean): object {
    const changed = (key: string) => shared && this.#browser.stored(this, key);
    return {
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => {
        items.set(key, String(value));
        changed(key);
      },
      removeItem: (key: string) => {
        items.delete(key);
        changed(key);
      },
    };
  }
}
