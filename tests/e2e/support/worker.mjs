// A worker with a session, seen from the test.

import { Holder } from "./holder.mjs";

/** Those that a page can begin. */
export const KINDS = ["dedicated", "shared", "service"];

/** A worker, which does what its page tells it. */
export class Worker extends Holder {
  #tab;
  #kind;

  /** Begins one of a kind in a tab; `options` are those of its session. */
  static async begin(tab, kind, options) {
    const worker = new Worker();
    worker.#tab = tab;
    worker.#kind = kind;
    await tab.run((kind) => e2e.begin(kind), kind);
    await worker.ask("open", options);
    return worker;
  }

  ask(name, argument) {
    const words = [this.#kind, name, argument];
    return this.#tab.run((words) => e2e.tell(...words), words);
  }

  /** Ends it at once, unless it is a shared one. */
  end() {
    return this.#tab.run((kind) => e2e.end(kind), this.#kind);
  }
}
