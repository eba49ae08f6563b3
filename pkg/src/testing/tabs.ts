// The tabs of a kit: each runs an engine of its own, as in a browser.

import instantiate from "everfresh:in-a-realm";

import type { SessionOptions } from "../options.ts";
import type { Session } from "../types.ts";

import { settle } from "./clock.ts";
import { Browser, Realm } from "./realm.ts";

/** One tab, with its session. */
export class Tab {
  /**
   * The tab's session.
   *
   * @example await tab.session.restore();
   */
  readonly session: Session;
  readonly #realm: Realm;

  /** @internal */
  constructor(browser: Browser, fetch: typeof globalThis.fetch, options: SessionOptions) {
    this.#realm = new Realm(browser, fetch);
    const { createSession } = instantiate(this.#realm.globals);
    this.session = createSession(options);
  }

  /**
   * The user does something: an event of `activityEvents` [a key].
   *
   * @example await tab.input("pointerdown");
   */
  async input(type = "keydown"): Promise<void> {
    this.#realm.fire(type);
    await settle();
  }

  /**
   * The network goes, or comes back. Requests still reach the server: script that with `server.next`.
   *
   * @example await tab.online(false);
   */
  async online(online: boolean): Promise<void> {
    this.#realm.online = online;
    this.#realm.fire(online ? "online" : "offline");
    await settle();
  }

  /**
   * The tab is hidden, or shown.
   *
   * @example await tab.show(false);
   */
  async show(visible: boolean): Promise<void> {
    this.#realm.visibility = visible ? "visible" : "hidden";
    this.#realm.fire("visibilitychange");
    await settle();
  }

  /**
   * The browser stops the tab: its timers stand still, and messages wait.
   *
   * @example await tab.freeze();
   */
  async freeze(): Promise<void> {
    this.#realm.fire("freeze");
    this.#realm.freeze(true);
    await settle();
  }

  /**
   * A frozen tab goes on.
   *
   * @example await tab.resume();
   */
  async resume(): Promise<void> {
    this.#realm.freeze(false);
    this.#realm.fire("resume");
    await settle();
  }

  /**
   * The tab is gone without a word, as when its process is killed.
   *
   * @example await tab.crash();
   */
  async crash(): Promise<void> {
    this.#realm.destroy();
    await settle();
  }

  /**
   * The user closes the tab.
   *
   * @example await tab.close();
   */
  async close(): Promise<void> {
    this.#realm.fire("pagehide", { persisted: false });
    await settle();
    this.#realm.destroy();
    await settle();
  }

  /** @internal */
  dispose(): void {
    if (!this.#realm.gone) this.session.dispose();
    this.#realm.destroy();
  }
}

/** The tabs of one browser. */
export class Tabs {
  /**
   * Those that were opened, closed ones too.
   *
   * @example console.info(kit.tabs.all.length);
   */
  readonly all: Tab[] = [];
  readonly #open: () => Tab;

  /** @internal */
  constructor(open: () => Tab) {
    this.#open = open;
  }

  /**
   * Opens a tab with the kit's options. What its page does at load is for the test: `restore()`, say.
   *
   * @example const tab = kit.tabs.open();
   */
  open(): Tab {
    const tab = this.#open();
    this.all.push(tab);
    return tab;
  }
}
