import assert from "node:assert/strict";
import { test } from "node:test";

import { world } from "./support/world.mjs";

const w = world({ accessTtl: "5s" });

test("an idle page makes no refresh and ends with its token, for the reason idle", async (t) => {
  const tab = await w.tab(t, { idleSeconds: 1, warnSeconds: 0.8, leadSeconds: 1.5 });
  const counted = await w.server.count();
  await tab.signIn();
  const { expiresAt, refreshAt, idleAt, endsAt } = await tab.snapshot();
  assert.ok(idleAt < expiresAt);
  assert.equal(refreshAt, null, "idle before a refresh is due, so none will come");
  assert.equal(endsAt, expiresAt);

  const { reason, at } = await tab.event("signed-out");

  assert.equal(reason, "idle");
  assert.ok(at >= expiresAt, "not before the token ran out");
  assert.deepEqual((await counted()).requests, { "POST /auth/login": 1 });
  const told = (await tab.events()).map(({ type }) => type);
  assert.deepEqual(told, ["started", "warning", "signed-out"]);
  const { status, reason: why } = await tab.snapshot();
  assert.deepEqual([status, why], ["signed-out", "idle"]);
  assert.equal((await tab.token()).error.code, "ERR_NOT_SIGNED_IN");
  assert.equal(await tab.run(() => e2e.timers.size), 0);
});

test("input before the token runs out brings the session back, with one refresh", async (t) => {
  const tab = await w.tab(t, { idleSeconds: 1, warnSeconds: 0.8, leadSeconds: 1.5 });
  const counted = await w.server.count();
  await tab.signIn();
  const { endsAt } = await tab.event("warning");

  await tab.touch();

  await tab.event("extended");
  const { at } = await tab.event("refreshed");
  assert.ok(at < endsAt);
  assert.deepEqual((await counted()).refreshes, { T5: 1 });
  assert.equal((await tab.snapshot()).status, "active");
});
