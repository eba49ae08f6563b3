import assert from "node:assert/strict";
import { test } from "node:test";

import { signedInTabs } from "./support/tabs.mjs";
import { world } from "./support/world.mjs";

const w = world();

for (const storage of ["memory", "local"]) {
  test(`a page with a live session comes back from the bfcache (${storage})`, async (t) => {
    const tab = await w.tab(t, { storage });
    await tab.signIn();
    await watchReturn(tab);
    const counted = await w.server.count();

    await leave(tab);
    await tab.back();

    assert.deepEqual(await tab.run(() => returned), { persisted: true, status: 200 });
    assert.deepEqual((await counted()).answers, { "GET /api/me 200": 1 });
    assert.deepEqual(await tab.told(), { started: 1 });
    assert.equal((await tab.snapshot()).status, "active");
  });

  test(`and holds what another tab brought meanwhile (${storage})`, async (t) => {
    const [tab, other] = await signedInTabs(w, await w.profile(t), 2, { storage });
    await watchReturn(tab);
    await leave(tab);
    await other.refresh();
    await other.refresh();
    const counted = await w.server.count();

    await tab.back();

    assert.deepEqual(await tab.run(() => returned), { persisted: true, status: 200 });
    // Its own token is still good. Only where no storage tells of a newer one it has to ask for it,
    // and is answered by the other tab.
    if (storage === "memory") assert.equal((await tab.refresh()).error, undefined);
    await tab.run(async () => {
      while (session.snapshot.generation < 3) await e2e.change(session);
    });
    assert.equal((await tab.token()).value, (await other.token()).value);
    assert.deepEqual((await counted()).refreshes, {});
  });

  test(`and ends before it sends anything, if the session has ended (${storage})`, async (t) => {
    const [tab, other] = await signedInTabs(w, await w.profile(t), 2, { storage });
    await watchReturn(tab);
    await leave(tab);
    await other.signOut();
    const counted = await w.server.count();

    await tab.back();

    // Its request went out as that of nobody.
    assert.deepEqual(await tab.run(() => returned), { persisted: true, status: 401 });
    assert.equal((await tab.event("signed-out")).reason, "signed-out");
    assert.deepEqual((await counted()).answers, { "GET /api/me 401": 1 });
    assert.equal((await tab.token()).error.code, "ERR_NOT_SIGNED_IN");
  });
}

/** Sends a request as soon as the page is shown again, which is later than the session hears it. */
function watchReturn(tab) {
  return tab.run(() => {
    globalThis.returned = new Promise((resolve) => {
      addEventListener("pageshow", async ({ persisted }) => {
        const { status } = await session.fetch("/api/me");
        resolve({ persisted, status });
      });
    });
  });
}

function leave(tab) {
  return tab.go(`${w.server.url}/elsewhere.html`);
}
