import assert from "node:assert/strict";
import { test } from "node:test";

import { world } from "./support/world.mjs";

const w = world();

test("100 simultaneous requests with an expired token: 1 refresh and 100 times 200", async (t) => {
  const tab = await w.tab(t);
  const { access_token: old } = await tab.signIn();
  await w.server.advance(301);
  assert.equal((await w.server.ask("GET", "/api/me", { token: old })).status, 401);
  const counted = await w.server.count();

  const statuses = await tab.run(async () => {
    const requests = Array.from({ length: 100 }, () => session.fetch("/api/me"));
    return (await Promise.all(requests)).map(({ status }) => status);
  });

  assert.deepEqual(statuses, Array(100).fill(200));
  assert.deepEqual(await counted(), {
    requests: { "GET /api/me": 200, "POST /oauth/token": 1 },
    answers: { "GET /api/me 200": 100, "GET /api/me 401": 100, "POST /oauth/token 200": 1 },
    refreshes: { T5: 1 },
  });
  const { refreshes, outcomes, requests } = await tab.stats();
  assert.deepEqual({ refreshed: refreshes.unauthorized, ...outcomes }, {
    ...{ refreshed: 1, committed: 1, adopted: 0, transient: 0, final: 0, discarded: 0 },
  });
  assert.deepEqual([requests.sent, requests.resent], [100, 100]);
  assert.equal((await tab.told()).refreshed, 1);
});
