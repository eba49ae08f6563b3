// The driver for Firefox, over WebDriver BiDi; chromium.mjs says what it has to offer.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { temporaryFolder } from "./folder.mjs";
import { drawn } from "./picture.mjs";
import { run } from "./program.mjs";
import { Wire } from "./wire.mjs";

/** What WebDriver BiDi has no command for. */
export const lacks = {
  freeze: "Firefox does not freeze pages",
  crash: "its tabs of one site share a process, which would take them all along",
};

/** Starts the browser at `E2E_FIREFOX`, or Debian's. */
export async function launch({ denies, throttles } = {}) {
  const folder = await temporaryFolder();
  const chosen = { ...(!throttles && UNTHROTTLED), ...(denies && DENIED) };
  const lines = Object.entries(chosen).map((entry) => JSON.stringify(entry).slice(1, -1));
  const preferences = lines.map((line) => `user_pref(${line});\n`).join("");
  await writeFile(join(folder.path, "user.js"), preferences);
  const program = run(process.env.E2E_FIREFOX ?? "/usr/bin/firefox-esr", [
    ...["--headless", "--no-remote", "--remote-debugging-port", "0", "--profile", folder.path],
  ]);
  const close = async () => {
    await program.kill();
    folder.remove();
  };
  try {
    const [, url] = await program.says(/WebDriver BiDi listening on (ws:\S+)/);
    const wire = await Wire.connect(`${url}/session`);
    await wire.send("session.new", { capabilities: {} });
    return { pid: program.pid, newProfile: () => newProfile(wire), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function newProfile(wire) {
  const { userContext } = await wire.send("browser.createUserContext");
  const newTab = async (cover) => {
    const tab = { type: "tab", userContext };
    const { context } = await wire.send("browsingContext.create", tab);
    return new Page(wire, context, cover);
  };
  let other;
  const cover = async () => {
    other ??= await newTab();
    await other.show();
  };
  return {
    newPage: async (url) => {
      const page = await newTab(cover);
      await page.go(url);
      return page;
    },
    setOffline: (is) =>
      wire.send("emulation.setNetworkConditions", {
        networkConditions: is ? { type: "offline" } : null,
        userContexts: [userContext],
      }),
    close: () => wire.send("browser.removeUserContext", { userContext }),
  };
}

class Page {
  #wire;
  #context;
  #cover;

  constructor(wire, context, cover) {
    this.#wire = wire;
    this.#context = context;
    this.#cover = cover;
  }

  async evaluate(fn, argument) {
    const { type, result, exceptionDetails } = await this.#wire.send("script.callFunction", {
      functionDeclaration: `async () => JSON.stringify(await (${fn})(${JSON.stringify(argument)}))`,
      target: { context: this.#context },
      awaitPromise: true,
    });
    if (type === "exception") throw new Error(exceptionDetails.text);
    return result.value && JSON.parse(result.value);
  }

  touch() {
    const actions = [
      { type: "pointerMove", x: 1, y: 1 },
      { type: "pointerDown", button: 0 },
      { type: "pointerUp", button: 0 },
    ];
    return this.#tell("input.performActions", { actions: [{ type: "pointer", id: "1", actions }] });
  }

  show() {
    return this.#tell("browsingContext.activate");
  }

  hide() {
    return this.#cover();
  }

  go(url) {
    return this.#tell("browsingContext.navigate", { url, wait: "complete" });
  }

  back() {
    return this.#tell("browsingContext.traverseHistory", { delta: -1 });
  }

  reload() {
    return this.#tell("browsingContext.reload", { wait: "complete" });
  }

  async picture(width, height) {
    await this.show();
    await this.#tell("browsingContext.setViewport", { viewport: { width, height } });
    await this.evaluate(drawn);
    const { data } = await this.#tell("browsingContext.captureScreenshot");
    return Buffer.from(data, "base64");
  }

  close() {
    return this.#tell("browsingContext.close");
  }

  #tell(method, params) {
    return this.#wire.send(method, { context: this.#context, ...params });
  }
}

// A test's tokens live for seconds, and a hidden tab's timers fire once a second or slower.
const UNTHROTTLED = {
  "dom.min_background_timeout_value": 4,
  "dom.timeout.enable_budget_timer_throttling": false,
};

// Nothing is stored for any site in the frame of another, instead of in a place of its own.
const DENIED = { "network.cookie.cookieBehavior": 1 };
