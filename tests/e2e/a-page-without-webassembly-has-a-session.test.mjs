import assert from "node:assert/strict";
import { test } from "node:test";

import { world } from "./support/world.mjs";

const w = world();

const pages = {
  "a policy without 'wasm-unsafe-eval'": "/no-wasm.html",
  "no WebAssembly at all": "/deleted-wasm.html",
};

/** In a task of the page's own, because what drives a page may be let off its policy. */
const fromTheOutside = async () => {
  await new Promise((resolve) => setTimeout(resolve));
  await e2e.init();
};

const loaded = () =>
  performance
    .getEntriesByType("resource")
    .map(({ name }) => new URL(name).pathname)
    .filter((path) => path.includes("everfresh_"));

for (const [what, path] of Object.entries(pages)) {
  test(`a page with ${what} signs in, refreshes, heals a 401 and signs out`, async (t) => {
    const tab = await w.tab(t, { path });
    await tab.run(fromTheOutside);
    assert.deepEqual(await tab.run(loaded), ["/everfresh/everfresh_js.js"]);

    const { access_token: first } = await tab.signIn();
    assert.equal((await tab.fetch("/api/me")).status, 200);
    assert.equal((await tab.refresh()).error, undefined);
    const { value: second } = await tab.token();
    assert.notEqual(second, first);

    await w.server.advance(301);
    assert.equal((await w.server.ask("GET", "/api/me", { token: second })).status, 401);
    const counted = await w.server.count();
    assert.equal((await tab.fetch("/api/me")).status, 200);
    assert.deepEqual((await counted()).refreshes, { T5: 1 });

    await tab.signOut();
    assert.equal((await tab.snapshot()).reason, "signed-out");
  });
}

test("a page that has WebAssembly loads no plain JavaScript", async (t) => {
  const tab = await w.tab(t);
  await tab.run(fromTheOutside);
  assert.deepEqual(await tab.run(loaded), ["/everfresh/everfresh_bg.wasm"]);
});
