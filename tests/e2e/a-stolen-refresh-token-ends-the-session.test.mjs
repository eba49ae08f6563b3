import assert from "node:assert/strict";
import { test } from "node:test";

import { world } from "./support/world.mjs";

const w = world();

test("a thief who comes second is refused, and the session ends", async (t) => {
  const tab = await w.tab(t);
  const { refresh_token: stolen } = await tab.signIn();
  assert.equal((await tab.refresh()).error, undefined);
  const counted = await w.server.count();

  const { status, body } = await presentAsThief(stolen);
  assert.deepEqual([status, body.error_code], [400, "reuse_detected"]);

  assert.equal((await tab.fetch("/api/me")).status, 401, "the original 401");
  assert.equal((await tab.snapshot()).status, "signed-out");
  assert.deepEqual((await counted()).refreshes, { T9: 1, T1: 1 });
  assert.equal((await tab.told())["signed-out"], 1);
});

test("a thief who comes first loses it all when the owner refreshes", async (t) => {
  const tab = await w.tab(t);
  const { refresh_token: stolen } = await tab.signIn();
  const counted = await w.server.count();
  const { status, body } = await presentAsThief(stolen);
  assert.equal(status, 200);

  const { error } = await tab.refresh();
  assert.equal(error.code, "ERR_SIGNED_OUT_BY_SERVER");
  assert.equal((await tab.event("signed-out")).reason, "reuse");
  assert.deepEqual((await counted()).refreshes, { T5: 1, T9: 1 });
  assert.equal((await w.server.ask("GET", "/api/me", { token: body.access_token })).status, 401);
  assert.equal((await presentAsThief(body.refresh_token)).status, 400);
});

function presentAsThief(token) {
  const form = {
    grant_type: "refresh_token",
    refresh_token: token,
    rotation_key: "a-key-that-the-owner-does-not-have",
  };
  return w.server.ask("POST", "/oauth/token", { form });
}
