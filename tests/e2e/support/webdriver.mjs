// WebDriver Classic over HTTP: a session and its windows.

import { GaveUp } from "./waiting.mjs";

/** What a command brings; `address` is the driver's or a session's, `patience` in ms. */
export async function command(address, method, path, body, patience = PATIENCE) {
  const init = { method, ...(body && { body: JSON.stringify(body) }) };
  try {
    const signal = AbortSignal.timeout(patience);
    const response = await fetch(`${address}${path}`, { ...init, signal });
    const { value } = await response.json();
    if (response.ok) return value;
    throw new Error(`${value.error}: ${value.message}`);
  } catch (error) {
    if (error.name === "TimeoutError") throw new GaveUp(`an answer to ${method} ${path}`);
    throw new Error(`${method} ${path}: ${error.message}`, { cause: error });
  }
}

/** None waits for more than a page of this machine, so one that takes longer is lost. */
const PATIENCE = 20_000;

/** The one session that a driver allows for, in which one window is the current one. */
export class Session {
  #address;
  #last = Promise.resolve();
  #current;

  static async begin(driver, capabilities) {
    const session = new Session();
    const { sessionId } = await command(driver, "POST", "/session", {
      capabilities: { alwaysMatch: capabilities },
    });
    session.#address = `${driver}/session/${sessionId}`;
    // It would keep a timer in the page.
    await command(session.#address, "POST", "/timeouts", { script: null });
    return session;
  }

  /** The window that it begins with. */
  async firstWindow() {
    this.#current = await command(this.#address, "GET", "/window");
    return this.#current;
  }

  /** Another window. A tab would hide the one before. */
  async newWindow() {
    return (await command(this.#address, "POST", "/window/new", { type: "window" })).handle;
  }

  /** Does something to a window, after all that is to be done before. */
  tell(window, method, path, body, patience) {
    const done = this.#last.then(async () => {
      if (this.#current !== window) {
        await command(this.#address, "POST", "/window", { handle: window });
        this.#current = window;
      }
      return command(this.#address, method, path, body, patience);
    });
    this.#last = done.catch(() => {});
    return done;
  }

  async end() {
    await this.#last;
    await command(this.#address, "DELETE", "");
  }
}
