// The driver for Chromium, over the Chrome DevTools Protocol.
//
// Every driver is a module with this one function, and `lacks`: by name, why its engine cannot do
// some of this. A browser makes profiles, which share nothing; a profile makes pages, which share
// storage, locks and channels as the tabs of one user do.
//
//   launch({ denies, throttles }) -> browser   { pid, newProfile(), close() }
//   profile               { newPage(url), setOffline(is), close() }
//   page                  { evaluate(fn, argument), touch(), show(), hide(), go(url), back(),
//                           reload(), freeze(), thaw(), crash(), picture(width, height), close() }
//
// Of `launch`, `denies` is a site that gets no storage in other sites' frames, and `throttles` says
// that timers of hidden pages are held back, as browsers do.
//
// `evaluate` runs a function that sees nothing but the page and its argument, awaits what it
// returns, and hands that back as JSON would. `touch` is real user input. `show` brings the page's
// tab to the front, `hide` another one. Only a hidden page can `freeze`. `picture` gives a PNG.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { temporaryFolder } from "./folder.mjs";
import { drawn } from "./picture.mjs";
import { run } from "./program.mjs";
import { Wire } from "./wire.mjs";

/** Nothing. */
export const lacks = {};

/** Starts the browser at `E2E_CHROMIUM`, or Debian's. */
export async function launch({ denies, throttles } = {}) {
  const folder = await temporaryFolder();
  if (denies) await deny(folder.path, denies);
  const program = run(process.env.E2E_CHROMIUM ?? "/usr/bin/chromium", [
    ...FLAGS,
    ...(throttles ? [] : UNTHROTTLED),
    `--user-data-dir=${folder.path}`,
  ]);
  const close = async () => {
    await program.kill();
    folder.remove();
  };
  try {
    const [, url] = await program.says(/DevTools listening on (ws:\S+)/);
    const wire = await Wire.connect(url);
    return { pid: program.pid, newProfile: () => newProfile(wire), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** To block third-party cookies is not enough: a frame then gets storage of its own. */
async function deny(folder, site) {
  const cookies = { [`${site},*`]: { setting: 2 } };
  const preferences = { profile: { content_settings: { exceptions: { cookies } } } };
  await mkdir(join(folder, "Default"));
  await writeFile(join(folder, "Default", "Preferences"), JSON.stringify(preferences));
}

async function newProfile(wire) {
  const { browserContextId } = await wire.send("Target.createBrowserContext");
  const pages = [];
  let other;
  const cover = async () => {
    other ??= await Page.open(wire, browserContextId);
    await other.show();
  };
  return {
    newPage: async (url) => {
      const page = await Page.open(wire, browserContextId, cover);
      pages.push(page);
      await page.go(url);
      return page;
    },
    setOffline: (is) => Promise.all(pages.map((page) => page.setOffline(is))),
    close: () => wire.send("Target.disposeBrowserContext", { browserContextId }),
  };
}

class Page {
  #wire;
  #targetId;
  #sessionId;
  #cover;

  static async open(wire, browserContextId, cover) {
    const page = new Page();
    page.#cover = cover;
    const target = { url: "about:blank", browserContextId };
    const { targetId } = await wire.send("Target.createTarget", target);
    page.#wire = wire;
    page.#targetId = targetId;
    const attach = { targetId, flatten: true };
    page.#sessionId = (await wire.send("Target.attachToTarget", attach)).sessionId;
    await Promise.all([page.#send("Page.enable"), page.#send("Network.enable")]);
    return page;
  }

  async evaluate(fn, argument) {
    const { result, exceptionDetails } = await this.#send("Runtime.evaluate", {
      expression: `(async () => JSON.stringify(await (${fn})(${JSON.stringify(argument)})))()`,
      ...{ awaitPromise: true, returnByValue: true },
      // What drives the page is bound to the page's policy as well.
      allowUnsafeEvalBlockedByCSP: false,
    });
    const error = exceptionDetails?.exception;
    if (exceptionDetails) throw new Error(error?.description ?? exceptionDetails.text);
    return result.value && JSON.parse(result.value);
  }

  async touch() {
    await this.show();
    for (const type of ["mousePressed", "mouseReleased"]) {
      const click = { type, x: 1, y: 1, button: "left", clickCount: 1 };
      await this.#send("Input.dispatchMouseEvent", click);
    }
  }

  show() {
    return this.#send("Page.bringToFront");
  }

  hide() {
    return this.#cover();
  }

  async go(url) {
    const loaded = this.#event("Page.loadEventFired");
    const { errorText } = await this.#send("Page.navigate", { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    await loaded;
  }

  async back() {
    const { currentIndex, entries } = await this.#send("Page.getNavigationHistory");
    const shown = this.#event("Page.frameNavigated");
    await this.#send("Page.navigateToHistoryEntry", { entryId: entries[currentIndex - 1].id });
    await shown;
  }

  async reload() {
    const loaded = this.#event("Page.loadEventFired");
    await this.#send("Page.reload");
    await loaded;
  }

  async freeze() {
    await this.#send("Page.setWebLifecycleState", { state: "frozen" });
  }

  async thaw() {
    await this.#send("Page.setWebLifecycleState", { state: "active" });
  }

  async crash() {
    const crashed = this.#event("Inspector.targetCrashed");
    // It never answers.
    this.#send("Page.crash").catch(() => {});
    await crashed;
  }

  setOffline(is) {
    const conditions = { offline: is, latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
    return this.#send("Network.emulateNetworkConditions", conditions);
  }

  async picture(width, height) {
    await this.show();
    const size = { width, height, deviceScaleFactor: 1, mobile: false };
    await this.#send("Emulation.setDeviceMetricsOverride", size);
    await this.evaluate(drawn);
    const { data } = await this.#send("Page.captureScreenshot");
    return Buffer.from(data, "base64");
  }

  async close() {
    const closed = this.#wire.event((method, { targetId }) => {
      return method === "Target.detachedFromTarget" && targetId === this.#targetId;
    });
    await this.#wire.send("Target.closeTarget", { targetId: this.#targetId });
    await closed;
  }

  #send(method, params) {
    return this.#wire.send(method, params, { sessionId: this.#sessionId });
  }

  #event(wanted) {
    return this.#wire.event((method, _, sessionId) => {
      return method === wanted && sessionId === this.#sessionId;
    });
  }
}

const FLAGS = [
  ...["--headless", "--remote-debugging-port=0", "--no-sandbox", "--disable-gpu"],
  ...["--disable-quic", "--no-first-run", "--no-default-browser-check", "--disable-sync"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-extensions"],
  ...["--hide-scrollbars", "--disable-dev-shm-usage", "--disable-breakpad", "--password-store=basic"],
  "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,OptimizationHints",
];
// A test's tokens live for seconds, and a hidden tab's timers fire once a second or a minute.
const UNTHROTTLED = [
  ...["--disable-background-timer-throttling", "--disable-renderer-backgrounding"],
];
