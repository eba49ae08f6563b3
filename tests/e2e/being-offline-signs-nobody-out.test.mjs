import assert from "node:assert/strict";
import { test } from "node:test";

import { needs } from "./support/engine.mjs";
import { world } from "./support/world.mjs";

const w = world({ accessTtl: "4s" });

const OFFLINE = "offline for longer than the token: the first request waits for one refresh";

test(OFFLINE, needs("offline"), async (t) => {
  const profile = await w.profile(t);
  const tab = await w.open(profile, { leadSeconds: 1 });
  await tab.signIn();
  const counted = await w.server.count();

  await profile.setOffline(true);
  await tab.event("stale");
  await tab.run(() => {
    globalThis.answered = undefined;
    globalThis.request = session.fetch("/api/me").then(({ status }) => (answered = status));
  });
  const { status, expiresAt } = await tab.snapshot();
  assert.equal(status, "stale");
  assert.ok(expiresAt <= (await tab.run(() => Date.now())));
  assert.equal(await tab.run(() => answered), undefined, "it waits");
  assert.deepEqual((await counted()).requests, {});

  await profile.setOffline(false);
  assert.equal(await tab.run(() => request), 200);
  assert.deepEqual(await counted(), {
    requests: { "GET /api/me": 1, "POST /oauth/token": 1 },
    answers: { "GET /api/me 200": 1, "POST /oauth/token 200": 1 },
    refreshes: { T5: 1 },
  });
  // That there is no network is a hint: the request tried all the same.
  assert.deepEqual(await tab.told(), { started: 1, stale: 1, "refresh-failed": 1, refreshed: 1 });
  assert.equal((await tab.snapshot()).status, "active");
});
