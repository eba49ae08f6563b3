// A page with a session, seen from the test.

import assert from "node:assert/strict";

import { within } from "./waiting.mjs";

/** One tab; `options` are those of its session. */
export class Tab {
  #page;
  #options;

  static async open(profile, url, options) {
    const tab = new Tab();
    tab.#page = await within(`a page at ${url}`, profile.newPage(url));
    tab.#options = options;
    await tab.#createSession();
    return tab;
  }

  /** Runs a function in the page, where `e2e` and `session` are globals. */
  run(fn, argument) {
    return within(`the page: ${fn}`, this.#page.evaluate(fn, argument));
  }

  /** Signs in and hands the token response back. */
  async signIn(username = "demo", password = "demo") {
    const { status, body } = await this.login(username, password);
    assert.equal(status, 200);
    await this.run(async (tokens) => {
      await e2e.init();
      session.start(tokens);
    }, body);
    return body;
  }

  /** Asks for tokens, and leaves it at that. */
  login(username, password) {
    return this.run((credentials) => e2e.login(...credentials), [username, password]);
  }

  /** What `session.restore()` says. */
  restore() {
    return this.run(() => session.restore());
  }

  /** What `session.signOut()` becomes. */
  signOut() {
    return this.run(() => e2e.outcome(session.signOut()));
  }

  /** What `session.refresh()` becomes. */
  refresh() {
    return this.run(() => e2e.outcome(session.refresh()));
  }

  /** Sends a request through the session: `{ status, body }` or `{ error }`. */
  fetch(path) {
    return this.run(async (path) => {
      const { value, error } = await e2e.outcome(session.fetch(path));
      return error ? { error } : { status: value.status, body: await value.json() };
    }, path);
  }

  /** What `session.getAccessToken()` becomes. */
  token() {
    return this.run(() => e2e.outcome(session.getAccessToken()));
  }

  snapshot() {
    return this.run(() => {
      const { lastError, ...rest } = session.snapshot;
      return { ...rest, lastError: lastError && e2e.plain(lastError) };
    });
  }

  stats() {
    return this.run(() => session.stats);
  }

  /** Waits for an event of a type, the first or a later one. */
  async event(type, count = 1) {
    try {
      return await this.run(([type, count]) => until(type, count), [type, count]);
    } catch (cause) {
      const told = JSON.stringify(await this.told());
      throw new Error(`no event ${type} (${count}), only ${told}`, { cause });
    }
  }

  /** All events so far, or those of one type. */
  async events(type) {
    const all = await this.run(() => events);
    return type ? all.filter((event) => event.type === type) : all;
  }

  /** How often each type of event was told so far. */
  async told() {
    const counts = {};
    for (const { type } of await this.events()) counts[type] = (counts[type] ?? 0) + 1;
    return counts;
  }

  /** Real user input. */
  touch() {
    return within("a click", this.#page.touch());
  }

  /** Brings it to the front. */
  show() {
    return within("a page to be shown", this.#page.show());
  }

  /** Puts another in front. */
  hide() {
    return within("a page to be hidden", this.#page.hide());
  }

  /** Goes to another page, on the session's own or another site. */
  go(url) {
    return within(`a page at ${url}`, this.#page.go(url));
  }

  /** Goes back to the page before, which may still be there as it was. */
  back() {
    return within("the way back", this.#page.back());
  }

  /** Stops all that the hidden page does. */
  freeze() {
    return within("a page's freezing", this.#page.freeze());
  }

  thaw() {
    return within("a page's thawing", this.#page.thaw());
  }

  /** Ends the page's process as a fault would. */
  crash() {
    return within("a page's crash", this.#page.crash());
  }

  /** Loads the page again; its new session is neither started nor restored. */
  async reload() {
    await within("a reload", this.#page.reload());
    await this.#createSession();
  }

  /** Closes the page, as its user would. */
  close() {
    return within("a page's end", this.#page.close());
  }

  #createSession() {
    return this.run((options) => {
      Object.assign(globalThis, e2e.open(options));
    }, this.#options);
  }
}
