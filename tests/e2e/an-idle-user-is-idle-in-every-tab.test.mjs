import assert from "node:assert/strict";
import { test } from "node:test";

import { signedInTabs } from "./support/tabs.mjs";
import { world } from "./support/world.mjs";

const TABS = 8;
const w = world();

test("input in one of 8 tabs keeps all alive, and silence ends all", async (t) => {
  const options = { idleMode: "end", idleSeconds: 6, warnSeconds: 5 };
  const tabs = await signedInTabs(w, await w.profile(t), TABS, options);
  await Promise.all(tabs.map((tab) => until(tab, "warning")));
  for (const tab of tabs) {
    const { secondsLeft } = await tab.snapshot();
    assert.ok(secondsLeft > 0 && secondsLeft <= 5);
  }
  const before = await Promise.all(tabs.map((tab) => tab.told()));

  await tabs[5].touch();

  for (const [i, tab] of tabs.entries()) await tab.event("extended", (before[i].extended ?? 0) + 1);
  await Promise.all(tabs.map((tab) => until(tab, "warning")));
  const counted = await w.server.count();
  const ends = await Promise.all(tabs.map((tab) => tab.event("signed-out")));
  const late = [];
  for (const [i, { at, reason }] of ends.entries()) {
    assert.equal(reason, "idle");
    const { endsAt } = (await tabs[i].events("warning")).at(-1);
    // The end is counted on the monotonic clock and told on the other, each in whole milliseconds.
    assert.ok(at >= endsAt - 1, `tab ${i} ended ${endsAt - at} ms before its time`);
    late.push(at - endsAt);
    const { started, warning, extended, "signed-out": ended } = await tabs[i].told();
    assert.deepEqual([started, warning, ended], [1, extended + 1, 1]);
  }
  t.diagnostic(`ended ${Math.min(...late)} to ${Math.max(...late)} ms after their time`);
  assert.deepEqual(Object.keys((await counted()).requests), ["POST /oauth/revoke"]);
});

test("the warning counts down in all, and to stay in one clears it in all", async (t) => {
  // After the touch it takes three seconds to the next warning.
  const options = { idleMode: "end", idleSeconds: 8, warnSeconds: 5 };
  const tabs = await signedInTabs(w, await w.profile(t), 4, options);
  const counts = await Promise.all(
    tabs.map((tab) =>
      tab.run(async () => {
        const seen = [];
        while (seen.length < 3) {
          const { secondsLeft } = session.snapshot;
          if (secondsLeft !== null && secondsLeft !== seen.at(-1)) seen.push(secondsLeft);
          await e2e.change(session);
        }
        return seen;
      }),
    ),
  );
  for (const [first, ...rest] of counts) {
    assert.ok(first <= 5);
    assert.deepEqual(rest, [first - 1, first - 2]);
  }

  await tabs[2].run(() => session.touch());

  for (const tab of tabs) {
    await tab.event("extended");
    assert.equal((await tab.snapshot()).secondsLeft, null);
  }
});

test("a clock that jumps past the limit ends the session before any request leaves", async (t) => {
  const options = { idleSeconds: 1_800, idleMode: "end" };
  const tabs = await signedInTabs(w, await w.profile(t), TABS, options);
  const counted = await w.server.count();

  const statuses = await Promise.all(
    tabs.map((tab) =>
      tab.run(async () => {
        const { now } = Date;
        Date.now = () => now() + 1_801_000;
        return (await session.fetch("/api/me")).status;
      }),
    ),
  );

  assert.deepEqual(statuses, Array(TABS).fill(401), "they went out as those of nobody");
  for (const tab of tabs) assert.equal((await tab.event("signed-out")).reason, "idle");
  assert.equal((await counted()).requests["POST /oauth/token"], undefined);
});

function until(tab, status) {
  return tab.run(async (status) => {
    while (session.snapshot.status !== status) await e2e.change(session);
  }, status);
}
