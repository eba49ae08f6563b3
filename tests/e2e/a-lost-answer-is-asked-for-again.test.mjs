import assert from "node:assert/strict";
import { test } from "node:test";

import { world } from "./support/world.mjs";

const w = world();

test("a refresh whose answer is lost is replayed with the same key", async (t) => {
  const tab = await w.tab(t);
  await tab.signIn();
  await w.server.fault("POST /oauth/token", "drop-after-commit");
  const counted = await w.server.count();

  const { error } = await tab.refresh();
  assert.equal(error.code, "ERR_REFRESH_UNAVAILABLE");
  assert.equal(error.retryable, true);
  assert.equal((await tab.fetch("/api/me")).status, 200, "the old token is still good");
  await tab.event("refreshed");

  const { requests, refreshes } = await counted();
  assert.equal(requests["POST /oauth/token"], 2);
  // With another key it would have been T9, and the end of the session.
  assert.deepEqual(refreshes, { T5: 1, T6: 1 });
  assert.deepEqual(await tab.told(), { started: 1, "refresh-failed": 1, refreshed: 1 });
  const { status, generation, lastError } = await tab.snapshot();
  assert.deepEqual([status, generation, lastError], ["active", 2, null]);
  assert.equal((await tab.fetch("/api/me")).status, 200);
});

test("so is one that is lost twice, and the successor can be refreshed in turn", async (t) => {
  const tab = await w.tab(t);
  await tab.signIn();
  await w.server.fault("POST /oauth/token", "drop-after-commit", { times: 2 });
  const counted = await w.server.count();

  await tab.refresh();
  await tab.event("refreshed");
  assert.deepEqual((await counted()).refreshes, { T5: 1, T6: 2 });
  assert.equal((await tab.refresh()).error, undefined);
  assert.deepEqual((await counted()).refreshes, { T5: 2, T6: 2 });
  assert.deepEqual(await tab.told(), { started: 1, "refresh-failed": 2, refreshed: 2 });
});
