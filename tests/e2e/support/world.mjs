// One server and one browser for all tests of a file, one profile for each test.

import { after, before } from "node:test";

import { launch } from "./engine.mjs";
import { Server } from "./server.mjs";
import { assembleSite } from "./site.mjs";
import { Tab } from "./tab.mjs";
import { within } from "./waiting.mjs";

/**
 * Sets everything up before the file's first test, and ends it after the last. `pages` is where the
 * site's pages lie, `browser` what its `launch` is given; the other options are the server's.
 */
export function world(options) {
  const made = new World();
  before(() => made.begin(options), { timeout: 120_000 });
  after(() => made.end(), { timeout: 120_000 });
  return made;
}

class World {
  server;
  /** The folder that it serves. */
  site;
  #browser;
  #cleanups = [];

  async begin({ pages, browser, ...options } = {}) {
    const site = await assembleSite(pages);
    this.site = site.path;
    this.#cleanups.push(site.remove);
    this.server = await Server.start(site.path, options);
    this.#cleanups.push(() => this.server.stop());
    this.#browser = await launch(browser);
    this.#cleanups.push(() => this.#browser.close());
  }

  async end() {
    for (const clean of this.#cleanups.reverse()) await clean();
  }

  /** A browser profile of the test's own. */
  async profile(t) {
    const profile = await within("a profile", this.#browser.newProfile());
    t.after(() => within("the profile's end", profile.close()));
    return profile;
  }

  /** A tab in a profile; `path` names the page, everything else is the session's options. */
  open(profile, { path = "/", ...options } = {}) {
    return this.visit(profile, `${this.server.url}${path}`, options);
  }

  /** A tab in a profile with a page from anywhere. */
  visit(profile, url, options = {}) {
    return Tab.open(profile, url, options);
  }

  /** A tab in a profile of its own. */
  async tab(t, options) {
    return this.open(await this.profile(t), options);
  }
}
