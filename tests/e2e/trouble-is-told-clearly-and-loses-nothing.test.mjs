import assert from "node:assert/strict";
import { test } from "node:test";

import { world } from "./support/world.mjs";

const w = world({ accessTtl: "2s", sqlite: true });

test("a wrong password is a clear refusal and touches no session", async (t) => {
  const tab = await w.tab(t);
  const { status, body } = await tab.login("guess");
  assert.deepEqual([status, body.error], [401, "invalid_credentials"]);
  assert.equal((await tab.snapshot()).status, "unknown");

  const { access_token: access } = await tab.signIn();
  assert.equal((await tab.login("guess")).status, 401);
  assert.equal((await tab.token()).value, access);
  assert.equal((await tab.fetch("/api/me")).status, 200);
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
