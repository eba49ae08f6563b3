import assert from "node:assert/strict";
import { test } from "node:test";

import { rotations } from "./support/engine.mjs";
import { agreeOn, signedInTabs } from "./support/tabs.mjs";
import { world } from "./support/world.mjs";

const w = world({ accessTtl: "4s" });

for (const [count, lifetimes, storage] of [
  [8, 5, "memory"],
  [8, 5, "local"],
  [20, 3, "local"],
]) {
  const cost = `${count} tabs over ${lifetimes} lifetimes cost ${lifetimes} refreshes`;
  test(`${cost}, and no user is lost (${storage})`, async (t) => {
    const counted = await w.server.count();
    const profile = await w.profile(t);
    const tabs = await signedInTabs(w, profile, count, { storage, leadSeconds: 2 });

    await agreeOn(lifetimes + 1, tabs);

    const { requests, refreshes } = await counted();
    assert.deepEqual(rotations(refreshes), { T5: lifetimes });
    // The tabs were signed in by the first one, without a word to the server.
    assert.deepEqual(Object.keys(requests), ["POST /auth/login", "POST /oauth/token"]);
    for (const tab of tabs) {
      assert.deepEqual(await tab.told(), { started: 1, refreshed: lifetimes });
    }
    const stats = await Promise.all(tabs.map((tab) => tab.stats()));
    const committed = stats.reduce((sum, { outcomes }) => sum + outcomes.committed, 0);
    t.diagnostic(`T6: ${refreshes.T6 ?? 0}, committed: ${committed}`);
  });
}
