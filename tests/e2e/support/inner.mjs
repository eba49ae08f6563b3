// A worker or a frame with a session, seen from the test.

import { Holder } from "./holder.mjs";

/** The kinds of workers. */
export const WORKERS = ["dedicated", "shared", "service"];

/** It does what its page tells it. */
export class Inner extends Holder {
  #tab;
  #kind;

  /**
   * Begins a worker of a kind in a tab, or a `frame` with what lies at `source`; `options` are
   * those of its session.
   */
  static async begin(tab, kind, options, source) {
    const inner = new Inner();
    inner.#tab = tab;
    inner.#kind = kind;
    await tab.run(([kind, source]) => e2e.begin(kind, source), [kind, source]);
    await inner.ask("open", options);
    return inner;
  }

  ask(name, argument) {
    const words = [this.#kind, name, argument];
    return this.#tab.run((words) => e2e.tell(...words), words);
  }

  /** Ends a dedicated or service worker at once. */
  end() {
    return this.#tab.run((kind) => e2e.end(kind), this.#kind);
  }
}
