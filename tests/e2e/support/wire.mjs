// Commands, answers and events as JSON over one WebSocket: what the Chrome DevTools Protocol and
// WebDriver BiDi have in common.

import { once } from "node:events";

import { WebSocket } from "ws";

import { within } from "./waiting.mjs";

/** A connection to a browser that listens. */
export class Wire {
  #socket;
  #asked = new Map();
  #listeners = new Set();
  #last = 0;

  static async connect(url) {
    const wire = new Wire();
    const socket = new WebSocket(url);
    wire.#socket = socket;
    await within(`a connection to ${url}`, once(socket, "open"));
    socket.on("message", (data) => wire.#hear(JSON.parse(data)));
    socket.on("close", () => {
      for (const { reject } of wire.#asked.values()) reject(new Error("the browser is gone"));
      wire.#asked.clear();
    });
    return wire;
  }

  /** Sends a command and gives its result; `more` lies beside the parameters. */
  send(method, params = {}, more = {}) {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      const refuse = (error) => reject(new Error(`${method}: ${error}`));
      this.#asked.set(id, { resolve, reject: refuse });
      this.#socket.send(JSON.stringify({ id, method, params, ...more }), (error) => {
        if (error) this.#take(id)?.reject(error.message);
      });
    });
  }

  /** Waits for an event that `look(method, params, sessionId)` is content with. */
  event(look) {
    return new Promise((resolve) => {
      const listener = (...event) => {
        if (!look(...event)) return;
        this.#listeners.delete(listener);
        resolve(event[1]);
      };
      this.#listeners.add(listener);
    });
  }

  close() {
    this.#socket.terminate();
  }

  #hear({ id, method, params, sessionId, result, error, message }) {
    if (method) for (const listener of [...this.#listeners]) listener(method, params, sessionId);
    else if (error) this.#take(id)?.reject(message ? `${error}: ${message}` : error.message);
    else this.#take(id)?.resolve(result);
  }

  #take(id) {
    const found = this.#asked.get(id);
    this.#asked.delete(id);
    return found;
  }
}
