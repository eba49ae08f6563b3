import assert from "node:assert/strict";
import { test } from "node:test";

import { Inner, WORKERS } from "./support/inner.mjs";
import { agreeOn } from "./support/tabs.mjs";
import { world } from "./support/world.mjs";

const w = world();

for (const kind of WORKERS) {
  test(`a sign-out in the page ends its ${kind} worker's before its next request`, async (t) => {
    const tab = await w.tab(t);
    await tab.signIn();
    const worker = await Inner.begin(tab, kind, {});
    const counted = await w.server.count();
    assert.equal((await worker.restore()).status, "active");
    assert.equal((await worker.token()).value, (await tab.token()).value);

    await tab.signOut();

    assert.equal((await worker.event("signed-out")).reason, "signed-out");
    assert.equal((await worker.token()).error.code, "ERR_NOT_SIGNED_IN");
    const { status, body } = await worker.fetch("/api/me");
    assert.deepEqual([status, body.error], [401, "missing_token"], "it carried no token");
    assert.deepEqual((await counted()).answers, {
      ...{ "GET /api/me 401": 1, "POST /oauth/revoke 200": 1 },
    });
  });
}

for (const kind of ["dedicated", "service"]) {
  test(`a ${kind} worker that begins anew is signed in by its page`, async (t) => {
    const tab = await w.tab(t);
    const first = await Inner.begin(tab, kind, {});
    await tab.signIn();
    await first.restore();
    const counted = await w.server.count();

    await first.end();
    const second = await Inner.begin(tab, kind, {});

    assert.equal((await second.snapshot()).status, "unknown", "it remembers nothing");
    assert.equal((await second.restore()).status, "active");
    assert.equal((await second.token()).value, (await tab.token()).value);
    assert.deepEqual((await counted()).requests, {});
  });
}

test("a service worker gives the token to requests of its page, and heals their 401", async (t) => {
  const tab = await w.tab(t, { storage: "local" });
  await Inner.begin(tab, "service", {});
  await tab.reload();
  assert.ok(await tab.run(() => navigator.serviceWorker.controller !== null));
  await tab.signIn();
  const worker = await Inner.begin(tab, "service", {});
  await worker.restore();
  const counted = await w.server.count();
  const ask = () => tab.run(async () => (await fetch("/api/me")).status);

  assert.equal(await ask(), 200);
  await w.server.advance(301);
  assert.equal(await ask(), 200);

  assert.deepEqual((await counted()).answers, {
    ...{ "GET /api/me 200": 2, "GET /api/me 401": 1, "POST /oauth/token 200": 1 },
  });
  await agreeOn(2, [tab, worker]);
});
