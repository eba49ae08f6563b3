import assert from "node:assert/strict";
import { test } from "node:test";

import { world } from "./support/world.mjs";

const w = world();

test("after sign-out neither token is worth anything, and a reload changes nothing", async (t) => {
  const tab = await w.tab(t, { storage: "local" });
  const { access_token: access, refresh_token: refresh } = await tab.signIn();
  assert.equal((await w.server.ask("GET", "/api/me", { token: access })).status, 200);
  const counted = await w.server.count();

  assert.equal((await tab.signOut()).error, undefined);

  assert.deepEqual(await counted(), {
    requests: { "POST /oauth/revoke": 1 },
    answers: { "POST /oauth/revoke 200": 1 },
    refreshes: {},
  });
  const form = { grant_type: "refresh_token", refresh_token: refresh };
  const refused = await w.server.ask("POST", "/oauth/token", { form });
  assert.deepEqual([refused.status, refused.body.error], [400, "invalid_grant"]);
  assert.equal((await w.server.ask("GET", "/api/me", { token: access })).status, 401);
  assert.deepEqual(await tab.told(), { started: 1, "signed-out": 1 });
  assert.equal((await tab.snapshot()).reason, "signed-out");
  const stored = await tab.run(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  assert.ok(!stored.includes(access) && !stored.includes(refresh));

  const afterwards = await w.server.count();
  await tab.reload();
  assert.equal((await tab.restore()).status, "signed-out");
  assert.equal((await tab.fetch("/api/me")).status, 401, "sent without a token");
  assert.deepEqual((await afterwards()).requests, { "GET /api/me": 1 });
});

test("a revoke that is lost is tried again, and the browser is signed out at once", async (t) => {
  const tab = await w.tab(t);
  const { access_token: access } = await tab.signIn();
  await w.server.fault("POST /oauth/revoke", "drop-before-commit");
  const counted = await w.server.count();

  assert.equal((await tab.signOut()).error, undefined);
  assert.equal((await tab.snapshot()).status, "signed-out");
  await tab.event("revoke-failed");
  await tab.run(async () => {
    while (e2e.timers.size > 0) await new Promise(requestAnimationFrame);
  });
  const { requests, answers } = await counted();
  assert.deepEqual(requests, { "POST /oauth/revoke": 2 });
  assert.equal(answers["POST /oauth/revoke 200"], 1);
  assert.equal((await w.server.ask("GET", "/api/me", { token: access })).status, 401);
});
