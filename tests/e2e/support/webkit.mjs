// The driver for WebKit, which is WebKitGTK's MiniBrowser here and not Safari, over WebDriver
// Classic; chromium.mjs says what it has to offer.

import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { freePort } from "./free-port.mjs";
import { drawn } from "./picture.mjs";
import { run } from "./program.mjs";
import { GaveUp, poll } from "./waiting.mjs";
import { command, Session } from "./webdriver.mjs";

/** What it does not do, or WebDriver Classic has no command for. */
export const lacks = {
  freeze: "WebKit does not freeze pages",
  crash: "its driver gives up all pages when one has crashed",
  "denied frames": "nothing can tell it to deny frames what it keeps apart for them",
  offline: "nothing can tell its network process that the network is gone",
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

/** Each profile is a browser of its own, with a driver of its own. */
async function newProfile(display, programs) {
  const { session, kill } = await twice(() => start(display, programs));
  let window = await session.firstWindow();
  return {
    newPage: (url) =>
      twice(async () => {
        window ??= await session.newWindow();
        const page = new Page(session, window);
        window = undefined;
        await page.go(url);
        return page;
      }),
    close: async () => {
      try {
        await session.end();
      } finally {
        await kill();
      }
    },
  };
}

/**
 * Now and then WebKit's driver never answers while a browser starts or a window opens. No test has
 * begun with them by then, so there are others.
 */
async function twice(attempt) {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof GaveUp)) throw error;
    console.error(`WebKit gets a second chance: ${error.message}`);
    return attempt();
  }
}

async function start(display, programs) {
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
    const driver = `http://127.0.0.1:${port}`;
    const ready = () => command(driver, "GET", "/status").catch(() => false);
    await poll("WebKitWebDriver", ready, PATIENCE);
    const session = await Session.begin(driver, {
      browserName: "MiniBrowser",
      "webkitgtk:browserOptions": { binary: await miniBrowser(), args: ["--automation"] },
    });
    return { session, kill };
  } catch (error) {
    await kill();
    throw error;
  }
}

class Page {
  #session;
  #window;
  #asked = 0;
  #left = 0;

  constructor(session, window) {
    this.#session = session;
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
    return Buffer.from(await this.#session.tell(this.#window, "GET", "/screenshot"), "base64");
  }

  close() {
    return this.#session.tell(this.#window, "DELETE", "/window");
  }

  /**
   * Leaves the document. The first navigation of a new window may be answered too early, and a look
   * meanwhile may fail or never be answered: it went to the process of the page before.
   */
  async #leave(path, body) {
    this.#left += 1;
    await this.#execute(`globalThis[Symbol.for("e2e left")] = ${this.#left};`);
    await this.#tell(path, body);
    const arrived = `
      const left = globalThis[Symbol.for("e2e left")] === ${this.#left};
      return !left && document.readyState === "complete" && location.href !== "about:blank";`;
    const look = () => this.#execute(arrived, 3_000).catch(() => false);
    await poll("the next document", look, PATIENCE);
  }

  #execute(script, patience) {
    return this.#tell("/execute/sync", { script, args: [] }, patience);
  }

  #tell(path, body = {}, patience) {
    return this.#session.tell(this.#window, "POST", path, body, patience);
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

/** Debian keeps it in a directory that is named after the machine's architecture. */
async function miniBrowser() {
  const places = (await readdir("/usr/lib")).map((place) => join("/usr/lib", place, MINI_BROWSER));
  const found = places.find((place) => existsSync(place));
  if (found) return found;
  throw new Error("there is no MiniBrowser: install webkit2gtk-driver");
}

/** How long a browser or a page may take to be there, in ms. */
const PATIENCE = 20_000;

const MINI_BROWSER = "webkit2gtk-4.1/MiniBrowser";
