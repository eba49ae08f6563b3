import assert from "node:assert/strict";
import { test } from "node:test";

import { world } from "./support/world.mjs";

const LIFETIMES = 3;
const w = world({ accessTtl: "2s" });

for (const storage of ["memory", "local"]) {
  test(`one refresh per lifetime in all, and both tabs have its token (${storage})`, async (t) => {
    const profile = await w.profile(t);
    const [a, b] = await twoTabs(profile, { storage, leadSeconds: 1 });
    await a.signIn();
    const counted = await w.server.count();
    assert.equal((await b.restore()).status, "active");

    const tabs = [a, b];
    await Promise.all(tabs.map((tab) => tab.event("refreshed", LIFETIMES)));

    assert.deepEqual((await counted()).refreshes, { T5: LIFETIMES });
    for (const tab of tabs) {
      assert.deepEqual(await tab.told(), { started: 1, refreshed: LIFETIMES });
      assert.equal((await tab.snapshot()).generation, LIFETIMES + 1);
    }
    const [tokenOfA, tokenOfB] = await Promise.all(tabs.map((tab) => tab.token()));
    assert.equal(tokenOfA.value, tokenOfB.value);
    const [ofA, ofB] = await Promise.all(tabs.map((tab) => tab.stats()));
    assert.equal(ofA.outcomes.committed + ofB.outcomes.committed, LIFETIMES);
  });
}

test("a sign-out in one tab ends the other", async (t) => {
  const [a, b] = await twoTabs(await w.profile(t), { leadSeconds: 1 });
  await a.signIn();
  await b.restore();
  const counted = await w.server.count();

  await a.signOut();

  assert.equal((await b.event("signed-out")).reason, "signed-out");
  assert.equal((await b.snapshot()).status, "signed-out");
  assert.equal((await b.token()).error.code, "ERR_NOT_SIGNED_IN");
  assert.deepEqual((await counted()).requests, { "POST /oauth/revoke": 1 });
  for (const tab of [a, b]) assert.equal((await tab.told())["signed-out"], 1);
});

test("a sign-in in one tab signs in the other, which had looked before", async (t) => {
  const [a, b] = await twoTabs(await w.profile(t), { leadSeconds: 1 });
  const { status, reason } = await b.restore();
  assert.deepEqual([status, reason], ["signed-out", "none"]);
  const counted = await w.server.count();

  await a.signIn();

  await b.event("started");
  assert.equal((await b.snapshot()).subject, (await a.snapshot()).subject);
  assert.equal((await b.token()).value, (await a.token()).value);
  assert.equal((await b.fetch("/api/me")).status, 200);
  assert.deepEqual((await counted()).refreshes, {});
});

async function twoTabs(profile, options) {
  return [await w.open(profile, options), await w.open(profile, options)];
}
