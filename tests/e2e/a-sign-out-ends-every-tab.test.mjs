import assert from "node:assert/strict";
import { test } from "node:test";

import { holdUp } from "./support/holdup.mjs";
import { signedInTabs } from "./support/tabs.mjs";
import { world } from "./support/world.mjs";

const TABS = 8;
const w = world();

test("a sign-out in one of 8 tabs ends all before their next request", async (t) => {
  const tabs = await signedInTabs(w, await w.profile(t), TABS, {});
  const counted = await w.server.count();

  await tabs[3].signOut();

  for (const tab of tabs) assert.equal((await tab.event("signed-out")).reason, "signed-out");
  for (const tab of tabs) {
    assert.equal((await tab.fetch("/api/me")).status, 401);
    assert.equal((await tab.token()).error.code, "ERR_NOT_SIGNED_IN");
    assert.deepEqual(await tab.told(), { started: 1, "signed-out": 1 });
  }
  assert.deepEqual((await counted()).answers, {
    ...{ "GET /api/me 401": TABS, "POST /oauth/revoke 200": 1 },
  });
});

test("what a refresh in flight brings after that is of no use to anybody", async (t) => {
  const [a, b, ...others] = await signedInTabs(w, await w.profile(t), 4, {});
  const { sid } = (await a.snapshot()).claims;
  await holdUp(w.server, a, "delay-after-commit", 500);

  await b.signOut();

  assert.equal((await a.refreshing()).error.code, "ERR_NOT_SIGNED_IN");
  for (const tab of [a, b, ...others]) {
    assert.equal((await tab.event("signed-out")).reason, "signed-out");
    assert.equal((await tab.snapshot()).generation, (await b.snapshot()).generation);
  }
  assert.deepEqual((await w.server.session(sid)).status, { revoked: "logout" });
});

test("a sign-in as somebody else ends all others, and they can follow", async (t) => {
  await w.server.addUser("ana", "secret");
  const tabs = await signedInTabs(w, await w.profile(t), 4, {});
  const [first, ...others] = tabs;

  await first.signIn("ana", "secret");

  for (const tab of others) {
    assert.equal((await tab.event("signed-out")).reason, "subject-changed");
    assert.equal((await tab.fetch("/api/me")).status, 401, "it never sends as somebody else");
  }
  const counted = await w.server.count();
  for (const tab of others) assert.equal((await tab.restore()).status, "active");
  assert.deepEqual((await counted()).requests, {});
  for (const tab of tabs) assert.equal((await tab.fetch("/api/me")).body.name, "ana");
});
