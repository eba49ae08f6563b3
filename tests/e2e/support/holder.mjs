// Whoever has a session, seen from the test: a tab, a worker, a frame.

import assert from "node:assert/strict";

/** What can be asked of each; how, `ask(name, argument)` of the class knows. */
export class Holder {
  /** Signs in and hands the token response back. */
  async signIn(username = "demo", password = "demo") {
    const { status, body } = await this.login(username, password);
    assert.equal(status, 200);
    await this.ask("start", body);
    return body;
  }

  /** Asks for tokens, and leaves it at that. */
  login(username, password) {
    return this.ask("login", [username, password]);
  }

  /** What `session.restore()` says. */
  restore() {
    return this.ask("restore");
  }

  /** What `session.signOut()` becomes. */
  signOut() {
    return this.ask("signOut");
  }

  /** What `session.refresh()` becomes. */
  refresh() {
    return this.ask("refresh");
  }

  /** Begins a refresh, and leaves it at that. */
  beginRefresh() {
    return this.ask("beginRefresh");
  }

  /** What the refresh that was begun becomes. */
  refreshing() {
    return this.ask("refreshing");
  }

  /** Sends a request through the session: `{ status, body }` or `{ error }`. */
  fetch(path) {
    return this.ask("fetch", path);
  }

  /** What `session.getAccessToken()` becomes. */
  token() {
    return this.ask("token");
  }

  snapshot() {
    return this.ask("snapshot");
  }

  stats() {
    return this.ask("stats");
  }

  /** Waits until it has a generation or a later one: which, and the token. */
  generation(wanted) {
    return this.ask("generation", wanted);
  }

  /** Waits for an event of a type, the first or a later one. */
  async event(type, count = 1) {
    try {
      return await this.ask("event", [type, count]);
    } catch (cause) {
      const told = JSON.stringify(await this.told());
      throw new Error(`no event ${type} (${count}), only ${told}`, { cause });
    }
  }

  /** All events so far, or those of one type. */
  async events(type) {
    const all = await this.ask("events");
    return type ? all.filter((event) => event.type === type) : all;
  }

  /** How often each type of event was told so far. */
  async told() {
    const counts = {};
    for (const { type } of await this.events()) counts[type] = (counts[type] ?? 0) + 1;
    return counts;
  }
}
