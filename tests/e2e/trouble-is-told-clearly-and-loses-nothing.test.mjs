import assert from "node:assert/strict";
import { test } from "node:test";

import { world } from "./support/world.mjs";

const w = world({ accessTtl: "4s", sqlite: true });

test("a wrong password is a clear refusal and touches no session", async (t) => {
  const tab = await w.tab(t);
  const { status, body } = await tab.login("demo", "guess");
  assert.deepEqual([status, body.error], [401, "invalid_credentials"]);
  assert.equal((await tab.snapshot()).status, "unknown");

  const { access_token: access } = await tab.signIn();
  assert.equal((await tab.login("demo", "guess")).status, 401);
  assert.equal((await tab.token()).value, access);
  assert.equal((await tab.fetch("/api/me")).status, 200);
});

test("a captive portal's page is no answer, and the next attempt is", async (t) => {
  const tab = await w.tab(t, { leadSeconds: 0 });
  await tab.signIn();
  await w.server.fault("POST /oauth/token", "html");
  const counted = await w.server.count();

  const { error } = await tab.refresh();
  assert.equal(error.code, "ERR_BAD_REFRESH_RESPONSE");
  assert.equal((await tab.snapshot()).status, "active");
  await tab.event("refreshed");
  assert.deepEqual(await tab.told(), { started: 1, "refresh-failed": 1, refreshed: 1 });
  assert.deepEqual((await counted()).refreshes, { T5: 1 });
});

test("a server that asks for a pause gets it", async (t) => {
  const tab = await w.tab(t, { leadSeconds: 1 });
  await tab.signIn();
  await w.server.fault("POST /oauth/token", "status", { status: 429, retry_after: 3 });
  const counted = await w.server.count();

  const { at, retryAt } = await tab.event("refresh-failed");
  const wait = retryAt - at;
  assert.ok(wait > 1_500 && wait < 3_100, `${wait} ms, and it asked for 3 s`);
  const refreshed = await tab.event("refreshed");
  assert.ok(refreshed.at >= retryAt);
  const { answers, refreshes } = await counted();
  assert.deepEqual(answers, { "POST /oauth/token 429": 1, "POST /oauth/token 200": 1 });
  assert.deepEqual(refreshes, { T5: 1 });
});

test("a dead server is said to be unreachable, and the session waits for it", async (t) => {
  const tab = await w.tab(t, { leadSeconds: 1, waitSeconds: 0.5 });
  await tab.signIn();
  await w.server.kill();

  const { error } = await tab.refresh();
  assert.equal(error.code, "ERR_REFRESH_UNAVAILABLE");
  assert.deepEqual([error.fault, error.retryable], ["network", true]);
  const { retryAt, at } = await tab.event("refresh-failed");
  assert.ok(retryAt > at);
  assert.equal((await tab.fetch("/api/me")).error.name, "TypeError", "as fetch itself has it");
  assert.equal((await tab.snapshot()).status, "active");

  await tab.event("stale");
  const { status, subject, lastError } = await tab.snapshot();
  assert.equal(status, "stale");
  assert.equal(lastError.code, "ERR_REFRESH_UNAVAILABLE");
  assert.equal((await tab.fetch("/api/me")).error.code, "ERR_REFRESH_UNAVAILABLE");
  assert.equal((await tab.token()).error.code, "ERR_REFRESH_UNAVAILABLE");

  await w.server.restart();
  await tab.event("refreshed");
  assert.equal((await tab.snapshot()).subject, subject);
  assert.equal((await tab.fetch("/api/me")).status, 200);
  assert.equal((await tab.told())["signed-out"], undefined);
});
