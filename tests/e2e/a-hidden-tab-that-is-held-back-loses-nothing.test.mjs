import assert from "node:assert/strict";
import { test } from "node:test";

import { rotations } from "./support/engine.mjs";
import { agreeOn, signedInTabs } from "./support/tabs.mjs";
import { poll } from "./support/waiting.mjs";
import { world } from "./support/world.mjs";

const LIFETIMES = 3;
const w = world({ accessTtl: "4s", browser: { throttles: true } });

test("hidden tabs whose timers fire once a second: one refresh per lifetime", async (t) => {
  const tabs = await signedInTabs(w, await w.profile(t), 3, { storage: "local", leadSeconds: 2 });
  for (const tab of tabs) await tab.hide();
  await Promise.all(tabs.map(tick));
  for (const tab of tabs) await poll("late timers", () => tab.run(late));
  const { generation } = await tabs[0].snapshot();
  const before = await tabs[0].told();
  const counted = await w.server.count();

  await agreeOn(generation + LIFETIMES, tabs);

  assert.deepEqual(rotations((await counted()).refreshes), { T5: LIFETIMES });
  const refreshed = (before.refreshed ?? 0) + LIFETIMES;
  for (const tab of tabs) {
    assert.deepEqual(await tab.told(), { started: 1, refreshed });
    assert.equal((await tab.fetch("/api/me")).status, 200);
  }
});

/** Has a page count, in `ticks`, how its timers fire. */
function tick(tab) {
  return tab.run(() => {
    globalThis.ticks = [];
    const next = () => {
      ticks.push(performance.now());
      setTimeout(next, 10);
    };
    next();
  });
}

/** Whether a page's timers fire but once a second. */
function late() {
  const [first, , , last] = ticks.slice(-4);
  return last - first > 2_700;
}
