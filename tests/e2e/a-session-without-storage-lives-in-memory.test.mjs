import assert from "node:assert/strict";
import { test } from "node:test";

import { agreeOn, signedInTabs } from "./support/tabs.mjs";
import { world } from "./support/world.mjs";

const w = world();

for (const storage of ["memory", "session", "local"]) {
  test(`storage that is denied costs one event, and tabs still share (${storage})`, async (t) => {
    const options = { path: "/no-storage.html", storage };
    const tabs = await signedInTabs(w, await w.profile(t), 3, options);
    const counted = await w.server.count();

    for (const [i, tab] of tabs.entries()) {
      assert.equal((await tab.refresh()).error, undefined);
      await agreeOn(i + 2, tabs);
    }

    assert.deepEqual((await counted()).requests, { "POST /oauth/token": 3 });
    for (const tab of tabs) {
      assert.equal((await tab.fetch("/api/me")).status, 200);
      assert.deepEqual(await tab.told(), { started: 1, refreshed: 3, "storage-degraded": 1 });
    }
  });
}

test("storage that is full costs one event, and the session goes on", async (t) => {
  const tab = await w.tab(t, { storage: "local" });
  const left = await tab.run(() => {
    let piece = "x".repeat(1 << 22);
    for (let i = 0; piece; i += 1) {
      try {
        localStorage.setItem(`filler-${i}`, piece);
      } catch {
        piece = piece.slice(piece.length / 2);
        if (piece.length === 1) piece = "";
      }
    }
    return e2e.outcome((async () => localStorage.setItem("everfresh", "x".repeat(100)))());
  });
  assert.equal(left.error.name, "QuotaExceededError");

  await tab.signIn();
  assert.equal((await tab.refresh()).error, undefined);
  assert.equal((await tab.refresh()).error, undefined);

  assert.equal((await tab.fetch("/api/me")).status, 200);
  assert.deepEqual(await tab.told(), { started: 1, refreshed: 2, "storage-degraded": 1 });
  const { status, generation } = await tab.snapshot();
  assert.deepEqual([status, generation], ["active", 3]);
});
