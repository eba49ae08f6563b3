// One server and one browser for the tests of a file; Chromium, unless E2E_ENGINE names another.

import assert from "node:assert/strict";
import { after, before } from "node:test";

import { launch } from "../../e2e/support/engine.mjs";
import { temporaryFolder } from "../../e2e/support/folder.mjs";
import { run } from "../../e2e/support/program.mjs";
import { Server } from "../../e2e/support/server.mjs";
import { poll, within } from "../../e2e/support/waiting.mjs";
import { ENVIRONMENT } from "./project.mjs";
import { openSite } from "./site.mjs";

/** What `signInAndRefresh` says where all is well. */
export const WELL = { signedIn: true, renewed: true, status: 200 };

/** Sets everything up before the file's first test, and ends it after the last. */
export function world({ browser = true } = {}) {
  const made = new World();
  before(() => made.begin(browser), { timeout: 120_000 });
  after(() => made.end(), { timeout: 120_000 });
  return made;
}

class World {
  server;
  #browser;
  #cleanups = [];

  async begin(browser) {
    const folder = await temporaryFolder();
    this.#cleanups.push(folder.remove);
    this.server = await Server.start(folder.path);
    this.#cleanups.push(() => this.server.stop());
    if (!browser) return;
    this.#browser = await launch();
    this.#cleanups.push(() => this.#browser.close());
  }

  async end() {
    for (const clean of this.#cleanups.reverse()) await clean();
  }

  /** Opens a page of a folder or a development server, and holds what came of it against `WELL`. */
  visit(t, behind) {
    return this.counted(async () => {
      const page = await this.open(t, behind);
      return poll("the page's outcome", () => page.evaluate(() => globalThis.outcome));
    });
  }

  /** Uses the page of an example as a user would, and counts what that costs the server. */
  async use(t, behind) {
    const counted = await this.server.count();
    const page = await this.open(t, behind);
    const has = (selector) => poll(selector, () => page.evaluate(isVisible, selector));
    await has("form");
    await page.evaluate(() => document.querySelector("form").requestSubmit());
    await has("output");
    const asks = async (answers) => {
      await page.evaluate(press, "Who am I?");
      await poll(`answer ${answers}`, async () => (await counted()).answers["GET /api/me 200"] === answers);
    };
    await asks(1);
    await poll("the answer", () => page.evaluate(() => /"sub"/.test(document.querySelector("output").textContent)));
    await this.server.advance(301); // the access token is no longer good
    await asks(2);
    await page.reload();
    await has("output");
    await asks(3);
    await page.evaluate(press, "Sign out");
    await has("form");
    // The page waits for no server to show that the user is signed out.
    await poll("the revocation", async () => (await counted()).requests["POST /oauth/revoke"] === 1);
    const { requests } = await counted();
    assert.equal(requests["POST /auth/login"], 1);
    assert.equal(requests["POST /oauth/token"], 1);
  }

  /** Opens a page of a folder or a development server, on one origin with the token server. */
  async open(t, behind) {
    const site = await openSite(this.server, behind);
    t.after(site.close);
    const profile = await within("a profile", this.#browser.newProfile());
    t.after(() => within("the profile's end", profile.close()));
    return within("a page", profile.newPage(site.url));
  }

  /** Holds what came of something against `WELL`, and the server's counters too. */
  async counted(act) {
    const count = await this.server.count();
    assert.deepEqual(await act(), WELL);
    const { requests } = await count();
    assert.equal(requests["POST /auth/login"], 1);
    assert.equal(requests["POST /oauth/token"], 1);
  }

  /** Starts a server of a package, which says its address on a line that this matches. */
  async serve(t, project, program, args, says, { node = process.execPath } = {}) {
    const command = ["-c", 'cd "$0" && exec "$@"', project.folder];
    const running = run("sh", [...command, node, project.installed(program), ...args], ENVIRONMENT);
    t.after(() => running.kill());
    return new URL((await running.says(says))[1]).origin;
  }
}

const isVisible = (selector) => document.querySelector(selector)?.checkVisibility() ?? false;

const press = (text) =>
  [...document.querySelectorAll("button")].find(({ textContent }) => textContent === text).click();
