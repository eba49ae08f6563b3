import assert from "node:assert/strict";
import { test } from "node:test";

import { needs } from "./support/engine.mjs";
import { holdUp } from "./support/holdup.mjs";
import { agreeOn, signedInTabs } from "./support/tabs.mjs";
import { world } from "./support/world.mjs";

const TABS = 8;
const w = world({ accessTtl: "6s" });

/** How a tab is lost, and whether it comes back. */
const LOSSES = {
  closed: { lose: (tab) => tab.close() },
  crashed: { lose: (tab) => tab.crash(), needs: "crash" },
  reloaded: {
    lose: async (tab) => {
      await tab.reload();
      await tab.restore();
    },
    back: true,
  },
  frozen: {
    lose: async (tab) => {
      await tab.hide();
      await tab.freeze();
    },
    returns: (tab) => tab.thaw(),
    needs: "freeze",
    back: true,
  },
};

for (const [loss, { lose, returns, back, needs: ability }] of Object.entries(LOSSES)) {
  const title = `8 tabs over 5 lifetimes, of which two that refresh are ${loss}: 5 rotations`;
  test(title, ability ? needs(ability) : {}, async (t) => {
    const counted = await w.server.count();
    const profile = await w.profile(t);
    const options = { storage: "local", leadSeconds: 3 };
    let tabs = await signedInTabs(w, profile, TABS, options);
    let generation = 1;

    // One never gets into the server's books, the other does.
    for (const kind of ["hang", "delay-after-commit"]) {
      const [victim, ...others] = tabs;
      await holdUp(w.server, victim, kind, 60_000);
      assert.equal((await others[0].run(() => navigator.locks.query())).held.length, 1);

      await lose(victim);
      generation += 1;
      await agreeOn(generation, others);
      await returns?.(victim);

      tabs = back ? [...others, victim] : others;
      await agreeOn(generation, tabs);
    }
    await agreeOn(6, tabs);

    const { T5, T6 } = (await counted()).refreshes;
    assert.equal(T5, 5);
    assert.ok(T6 >= 1, "the lost answer was given again, to the same key");
    t.diagnostic(`T6: ${T6}`);
    for (const tab of tabs) {
      const told = await tab.told();
      assert.deepEqual([told["signed-out"], told.stale], [undefined, undefined]);
    }
  });
}
