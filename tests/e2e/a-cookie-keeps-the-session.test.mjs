import assert from "node:assert/strict";
import { test } from "node:test";

import { world } from "./support/world.mjs";

const w = world({ cookie: true });
const COOKIE = { refresh: { url: "/auth/refresh", style: "cookie", revokeUrl: "/auth/logout" } };

test("a reload costs one refresh, and no script ever sees the refresh token", async (t) => {
  const tab = await w.tab(t, COOKIE);
  const tokens = await tab.signIn();
  assert.equal(tokens.refresh_token, undefined);
  assert.equal(await tab.run(() => document.cookie), "");
  const counted = await w.server.count();

  await tab.reload();
  const { status, claims } = await tab.restore();

  assert.deepEqual([status, claims.name !== undefined], ["active", true]);
  assert.equal((await tab.fetch("/api/me")).status, 200);
  assert.deepEqual(await counted(), {
    requests: { "GET /api/me": 1, "POST /auth/refresh": 1 },
    answers: { "GET /api/me 200": 1, "POST /auth/refresh 200": 1 },
    refreshes: { T5: 1 },
  });
  assert.equal(await tab.run(() => document.cookie), "");
});

test("a tab beside one that is signed in needs no refresh", async (t) => {
  const profile = await w.profile(t);
  const [a, b] = [await w.open(profile, COOKIE), await w.open(profile, COOKIE)];
  await a.signIn();
  const counted = await w.server.count();
  assert.equal((await b.restore()).status, "active");
  assert.equal((await b.token()).value, (await a.token()).value);
  assert.deepEqual((await counted()).requests, {});
});

test("an answer that is lost with its cookie is asked for again", async (t) => {
  const tab = await w.tab(t, COOKIE);
  await tab.signIn();
  await w.server.fault("POST /auth/refresh", "drop-after-commit");
  const counted = await w.server.count();
  assert.equal((await tab.refresh()).error.code, "ERR_REFRESH_UNAVAILABLE");
  await tab.event("refreshed");
  assert.deepEqual((await counted()).refreshes, { T5: 1, T6: 1 });
  assert.equal((await tab.refresh()).error, undefined);
  assert.deepEqual((await counted()).refreshes, { T5: 2, T6: 1 });
});

test("after sign-out the cookie is gone, and a reload finds nobody", async (t) => {
  const tab = await w.tab(t, COOKIE);
  const { access_token: access } = await tab.signIn();
  const counted = await w.server.count();

  assert.equal((await tab.signOut()).error, undefined);
  assert.deepEqual((await counted()).answers, { "POST /auth/logout 204": 1 });

  await tab.reload();
  assert.equal((await tab.restore()).status, "signed-out");
  // Only the server can tell that there is no cookie: it is asked once, and decides by no rule.
  const { refreshes, answers } = await counted();
  assert.deepEqual(refreshes, {});
  assert.deepEqual(answers, { "POST /auth/logout 204": 1, "POST /auth/refresh 400": 1 });
  assert.deepEqual(await tab.told(), {});
  assert.equal((await w.server.ask("GET", "/api/me", { token: access })).status, 401);
});
