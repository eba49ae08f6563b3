// A page with a session, seen from the test.

import { Holder } from "./holder.mjs";
import { within } from "./waiting.mjs";

/** One tab; `options` are those of its session. */
export class Tab extends Holder {
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

  ask(name, argument) {
    const answer = this.#page.evaluate(([name, it]) => e2e.does[name](it), [name, argument]);
    return within(`${name} in the page`, answer);
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
    return this.ask("open", this.#options);
  }
}
