// The driver for WebKit, which is WebKitGTK's MiniBrowser here and not Safari, over WebDriver
// Classic; chromium.mjs says what it has to offer.

import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

import { drawn } from "./picture.mjs";
import { run } from "./program.mjs";
import { poll } from "./waiting.mjs";

/** What it does not do, or WebDriver Classic has no command for. */
export const lacks = {
  freeze: "WebKit does not freeze pages",
  crash: "its driver gives up all pages when one has crashed",
  "denied frames": "nothing can tell it to deny frames what it keeps apart for them",
  offline: "nothing can tell its network process that the network is gone",
  "prompt storage": "a tab may see what another stored some milliseconds late",
};

/** Starts a screen for the browser; each profile is a browser of its own. */
export async function launch() {
  const screen = run("Xvfb", [
    ...["-displayfd", "1", "-screen", "0", "1440x1200x24", "-nolisten", "tcp"],
  ]);
  const programs = new Set([screen]);
  const close = async () => {
    for (const program of programs) await program.kill();
  };
  try {
    const [, display] = await screen.says(/^(\d+)$/m);
    return { pid: screen.pid, newProfile: () => newProfile(display, programs), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A driver allows for one session at a time, and a session is one profile. */
async function newProfile(display, programs) {
  const port = await freePort();
  const program = run(process.env.E2E_WEBKIT ?? "/usr/bin/WebKitWebDriver", [`--port=${port}`], {
    ...{ DISPLAY: `:${display}`, GDK_BACKEND: "x11", NO_AT_BRIDGE: "1" },
    // Its sandbox does not work for root.
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1",
  });
  const kill = async () => {
    programs.delete(program);
    await program.kill();
  };
  programs.add(program);
  try {
    const address = `http://127.0.0.1:${port}`;
    await poll("WebKitWebDriver", () => command(address, "GET", "/status").catch(() => false));
    const { sessionId } = await command(address, "POST", "/session", {
      capabilities: {
        alwaysMatch: {
          browserName: "MiniBrowser",
          "webkitgtk:browserOptions": { binary: await miniBrowser(), args: ["--automation"] },
        },
      },
    });
    const session = `${address}/session/${sessionId}`;
    // It would keep a timer in the page.
    await command(session, "POST", "/timeouts", { script: null });
    const profile = new Profile(session);
    return {
      newPage: async (url) => {
        const page = new Page(profile, await profile.newWindow());
        await page.go(url);
        return page;
      },
      close: async () => {
        await profile.end();
        await kill();
      },
    };
  } catch (error) {
    await kill();
    throw error;
  }
}

/** One session of WebDriver, in which one window is the current one. */
class Profile {
  #address;
  #last = Promise.resolve();
  #current;
  #fresh = true;

  constructor(address) {
    this.#address = address;
  }

  /** A window: the session's first, then others. A tab would hide the one before. */
  async newWindow() {
    if (this.#fresh) {
      this.#fresh = false;
      this.#current = await command(this.#address, "GET", "/window");
      return this.#current;
    }
    return (await command(this.#address, "POST", "/window/new", { type: "window" })).handle;
  }

  /** Does something to a window, after all that is to be done before. */
  tell(window, method, path, body) {
    const done = this.#last.then(async () => {
      if (this.#current !== window) {
        await command(this.#address, "POST", "/window", { handle: window });
        this.#current = window;
      }
      return command(this.#address, method, path, body);
    });
    this.#last = done.catch(() => {});
    return done;
  }

  async end() {
    await this.#last;
    await command(this.#address, "DELETE", "");
  }
}

class Page {
  #profile;
  #window;
  #asked = 0;
  #left = 0;

  constructor(profile, window) {
    this.#profile = profile;
    this.#window = window;
  }

  /** Never waits in the page, because meanwhile no other page could be talked to. */
  async evaluate(fn, argument) {
    this.#asked += 1;
    const id = this.#asked;
    const begin = `
      const answers = (globalThis[Symbol.for("e2e answers")] ??= new Map());
      (async () => JSON.stringify(await (${fn})(${JSON.stringify(argument)})))().then(
        (value) => answers.set(${id}, { value }),
        (error) => answers.set(${id}, { error: String(error) }),
      );`;
    let answer = await this.#execute(`${begin} ${look(id)}`);
    answer ??= await poll(`the page: ${fn}`, () => this.#execute(look(id)));
    if (answer.error) throw new Error(answer.error);
    return answer.value && JSON.parse(answer.value);
  }

  touch() {
    const actions = [
      { type: "pointerMove", x: 1, y: 1 },
      { type: "pointerDown", button: 0 },
      { type: "pointerUp", button: 0 },
    ];
    return this.#tell("/actions", { actions: [{ type: "pointer", id: "1", actions }] });
  }

  show() {
    return this.#tell("/window/rect", { width: 800, height: 600 });
  }

  hide() {
    return this.#tell("/window/minimize");
  }

  go(url) {
    return this.#leave("/url", { url });
  }

  back() {
    return this.#leave("/back");
  }

  reload() {
    return this.#leave("/refresh");
  }

  /** The window's frame is not part of the picture, so it is made larger by what it takes. */
  async picture(width, height) {
    await this.#tell("/window/rect", { width, height });
    const inner = await this.evaluate(() => [innerWidth, innerHeight]);
    const grown = { width: 2 * width - inner[0], height: 2 * height - inner[1] };
    await this.#tell("/window/rect", grown);
    await this.evaluate(drawn);
    return Buffer.from(await this.#profile.tell(this.#window, "GET", "/screenshot"), "base64");
  }

  close() {
    return this.#profile.tell(this.#window, "DELETE", "/window");
  }

  /** Leaves the document; a new window's first navigation may be answered too early. */
  async #leave(path, body) {
    this.#left += 1;
    await this.#execute(`globalThis[Symbol.for("e2e left")] = ${this.#left};`);
    await this.#tell(path, body);
    const arrived = `
      const left = globalThis[Symbol.for("e2e left")] === ${this.#left};
      return !left && document.readyState === "complete" && location.href !== "about:blank";`;
    await poll("the next document", () => this.#execute(arrived));
  }

  #execute(script) {
    return this.#tell("/execute/sync", { script, args: [] });
  }

  #tell(path, body = {}) {
    return this.#profile.tell(this.#window, "POST", path, body);
  }
}

/** Part of a script: takes an answer, if it came or is about to. */
const look = (id) => `
  return (async () => {
    const answers = globalThis[Symbol.for("e2e answers")];
    for (let turns = 20; turns > 0 && !answers.has(${id}); turns -= 1) await undefined;
    const answer = answers.get(${id});
    answers.delete(${id});
    return answer ?? null;
  })();`;

async function command(address, method, path, body) {
  const init = { method, ...(body && { body: JSON.stringify(body) }) };
  const response = await fetch(`${address}${path}`, init);
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
  return value;
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Debian keeps it in a directory that is named after the machine's architecture. */
async function miniBrowser() {
  const places = (await readdir("/usr/lib")).map((place) => join("/usr/lib", place, MINI_BROWSER));
  const found = places.find((place) => existsSync(place));
  if (found) return found;
  throw new Error("there is no MiniBrowser: install webkit2gtk-driver");
}

const MINI_BROWSER = "webkit2gtk-4.1/MiniBrowser";
