import assert from "node:assert/strict";
import { test } from "node:test";

import { signedInTabs } from "./support/tabs.mjs";
import { world } from "./support/world.mjs";

const CYCLES = 50;
const w = world();

test("50 times hidden and shown, with a good token: no request and no event", async (t) => {
  const [tab] = await signedInTabs(w, await w.profile(t), 2, {});
  await tab.show();
  const counted = await w.server.count();
  const before = await tab.run(() => {
    globalThis.shown = 0;
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") shown += 1;
    });
    globalThis.snapshot = session.snapshot;
    return session.stats;
  });

  for (let cycle = 1; cycle <= CYCLES; cycle += 1) {
    await tab.hide();
    await tab.show();
    await tab.run(async (cycle) => {
      while (shown < cycle) await new Promise((resolve) => setTimeout(resolve, 5));
    }, cycle);
  }

  assert.deepEqual((await counted()).requests, {});
  assert.deepEqual(await tab.told(), { started: 1 });
  const after = await tab.stats();
  assert.deepEqual([after.refreshes, after.locks], [before.refreshes, before.locks]);
  assert.equal((await tab.fetch("/api/me")).status, 200);
});
