import assert from "node:assert/strict";
import { test } from "node:test";

import { rotations } from "./support/engine.mjs";
import { holdUp } from "./support/holdup.mjs";
import { world } from "./support/world.mjs";

const LIFETIMES = 3;
// Two seconds from one refresh to the next: time enough to count on a busy machine.
const w = world({ accessTtl: "3s" });

for (const storage of ["memory", "local"]) {
  test(`one refresh per lifetime in all, and both tabs have its token (${storage})`, async (t) => {
    const profile = await w.profile(t);
    const [a, b] = await twoTabs(profile, { storage, leadSeconds: 1 });
    await a.signIn();
    const counted = await w.server.count();
    assert.equal((await b.restore()).status, "active");

    const tabs = [a, b];
    await Promise.all(tabs.map((tab) => tab.event("refreshed", LIFETIMES)));

    const { refreshes } = await counted();
    assert.deepEqual(rotations(refreshes), { T5: LIFETIMES });
    for (const tab of tabs) {
      assert.deepEqual(await tab.told(), { started: 1, refreshed: LIFETIMES });
      assert.equal((await tab.snapshot()).generation, LIFETIMES + 1);
    }
    const [tokenOfA, tokenOfB] = await Promise.all(tabs.map((tab) => tab.token()));
    assert.equal(tokenOfA.value, tokenOfB.value);
    const [ofA, ofB] = await Promise.all(tabs.map((tab) => tab.stats()));
    const more = ofA.outcomes.committed + ofB.outcomes.committed - LIFETIMES;
    assert.ok(more >= 0 && more <= (refreshes.T6 ?? 0), "but for answers given again");
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

test("a sign-out beside a refresh under way wins: what that brings is dead", async (t) => {
  const [a, b] = await twoTabs(await w.profile(t), { storage: "local", leadSeconds: 0 });
  await a.signIn();
  const { sid } = (await b.restore()).claims;
  const counted = await holdUp(w.server, a, "delay-after-commit", 500);

  await b.signOut();

  assert.equal((await a.event("signed-out")).reason, "signed-out");
  assert.equal((await a.refreshing()).error.code, "ERR_NOT_SIGNED_IN");
  const { requests, refreshes } = await counted();
  assert.deepEqual(requests, { "POST /oauth/token": 1, "POST /oauth/revoke": 1 });
  assert.deepEqual(refreshes, { T5: 1 });
  assert.deepEqual((await w.server.session(sid)).status, { revoked: "logout" });
  for (const tab of [a, b]) {
    await tab.reload();
    assert.equal((await tab.restore()).status, "signed-out");
  }
});

test("a sign-in as somebody else ends the other tab's session", async (t) => {
  await w.server.addUser("ana", "secret");
  const [a, b] = await twoTabs(await w.profile(t), { leadSeconds: 1 });
  await a.signIn();
  await b.restore();
  await b.signIn("ana", "secret");

  assert.equal((await a.event("signed-out")).reason, "subject-changed");
  const told = (await a.events()).map(({ type }) => type);
  assert.deepEqual(told.slice(-2), ["subject-changed", "signed-out"]);
  assert.equal((await a.token()).error.code, "ERR_NOT_SIGNED_IN");
  assert.equal((await a.fetch("/api/me")).status, 401, "it never sends as somebody else");
  assert.equal((await b.fetch("/api/me")).body.name, "ana");

  assert.equal((await a.restore()).status, "active");
  assert.equal((await a.snapshot()).subject, (await b.snapshot()).subject);
});

async function twoTabs(profile, options) {
  return [await w.open(profile, options), await w.open(profile, options)];
}
