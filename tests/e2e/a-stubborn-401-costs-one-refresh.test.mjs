import assert from "node:assert/strict";
import { test } from "node:test";

import { world } from "./support/world.mjs";

const w = world();

test("an endpoint that always answers 401 gets 2 requests and 1 refresh", async (t) => {
  const tab = await w.tab(t);
  await tab.signIn();
  await w.server.fault("GET /api/echo", "status", { status: 401, times: 1_000 });
  const counted = await w.server.count();

  const { status, body } = await tab.fetch("/api/echo");

  assert.equal(status, 401);
  assert.equal(body.error, "fault_on_purpose", "the response comes as the server sent it");
  assert.deepEqual(await counted(), {
    requests: { "GET /api/echo": 2, "POST /oauth/token": 1 },
    answers: { "GET /api/echo 401": 2, "POST /oauth/token 200": 1 },
    refreshes: { T5: 1 },
  });
  assert.equal((await tab.snapshot()).status, "active");
  assert.deepEqual(await tab.told(), { started: 1, refreshed: 1 });
  assert.equal((await tab.fetch("/api/me")).status, 200, "the session is as good as before");
  assert.deepEqual((await counted()).refreshes, { T5: 1 });
});
