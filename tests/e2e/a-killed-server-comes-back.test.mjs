import assert from "node:assert/strict";
import { test } from "node:test";

import { holdUp } from "./support/holdup.mjs";
import { world } from "./support/world.mjs";

const w = world({ sqlite: true });

test("a server that was killed and restarted keeps everybody signed in", async (t) => {
  const tab = await w.tab(t);
  const { access_token: access } = await tab.signIn();
  await w.server.kill();
  await w.server.restart();
  const counted = await w.server.count();

  assert.equal((await tab.fetch("/api/me")).status, 200, "the token outlives the process");
  assert.equal((await tab.refresh()).error, undefined);
  assert.notEqual((await tab.token()).value, access);
  assert.equal((await tab.fetch("/api/me")).status, 200);
  assert.deepEqual(await counted(), {
    requests: { "GET /api/me": 2, "POST /oauth/token": 1 },
    answers: { "GET /api/me 200": 2, "POST /oauth/token 200": 1 },
    refreshes: { T5: 1 },
  });
  assert.deepEqual(await tab.told(), { started: 1, refreshed: 1 });
});

test("so does one that is killed between its commit and its answer", async (t) => {
  const tab = await w.tab(t);
  await tab.signIn();
  await holdUp(w.server, tab, "delay-after-commit", 20_000);
  await w.server.kill();
  await tab.event("refresh-failed");
  await w.server.restart();
  await tab.event("refreshed");

  // The counters began anew with the process.
  const sinceRestart = await w.server.count();
  assert.equal((await tab.fetch("/api/me")).status, 200);
  assert.equal((await tab.refresh()).error, undefined);
  assert.deepEqual((await sinceRestart()).refreshes, { T5: 1 });
  assert.equal((await tab.snapshot()).generation, 3);
  assert.equal((await tab.told())["signed-out"], undefined);
});
