import assert from "node:assert/strict";
import { test } from "node:test";

import { rotations } from "./support/engine.mjs";
import { agreeOn, signedInTabs } from "./support/tabs.mjs";
import { poll } from "./support/waiting.mjs";
import { world } from "./support/world.mjs";

const LIFETIMES = 3;
const w = world({ accessTtl: "4s", browser: { throttles: true } });

test("hidden tabs whose timers fire once a second: one refresh per lifetime", async (t) => {
  const counted = await w.server.count();
  const tabs = await signedInTabs(w, await w.profile(t), 3, { storage: "local", leadSeconds: 2 });
  for (const tab of tabs) await tab.hide();
  await Promise.all(tabs.map(tick));
  for (const tab of tabs) await poll("late timers", () => tab.run(late));
  const { generation } = await tabs[0].snapshot();

  await agreeOn(generation + LIFETIMES, tabs);

  // All since the sign-in: had the count begun later, a refresh could have come in between.
  const refreshed = generation - 1 + LIFETIMES;
  assert.deepEqual(rotations((await counted()).refreshes), { T5: refreshed });
  for (const tab of tabs) assert.deepEqual(await tab.told(), { started: 1, refreshed });
  for (const tab of tabs) assert.equal((await tab.fetch("/api/me")).status, 200);
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
