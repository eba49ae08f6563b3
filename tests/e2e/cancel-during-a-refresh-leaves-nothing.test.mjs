import assert from "node:assert/strict";
import { test } from "node:test";

import { holdUp } from "./support/holdup.mjs";
import { world } from "./support/world.mjs";

const w = world({ accessTtl: "4s" });

for (const kind of ["hang", "delay-after-commit"]) {
  test(`cancel during a refresh (${kind}) leaves no token, no timer and no request`, async (t) => {
    const tab = await w.tab(t, { leadSeconds: 1 });
    const { access_token: access, refresh_token: refresh } = await tab.signIn();
    const counted = await holdUp(w.server, tab, kind, 1_000);

    await tab.run(() => session.cancel());

    assert.equal((await tab.refreshing()).error.code, "ERR_NOT_SIGNED_IN");
    const { status, reason, claims, expiresAt, refreshAt } = await tab.snapshot();
    assert.deepEqual([status, reason], ["signed-out", "cancelled"]);
    assert.deepEqual([claims, expiresAt, refreshAt], [null, null, null]);
    assert.equal((await tab.token()).error.code, "ERR_NOT_SIGNED_IN");
    assert.equal((await tab.refresh()).error.code, "ERR_NOT_SIGNED_IN");
    const kept = await tab.run(async () => ({
      timers: e2e.timers.size,
      locks: await navigator.locks.query(),
      stored: JSON.stringify([{ ...localStorage }, { ...sessionStorage }]),
    }));
    assert.equal(kept.timers, 0);
    assert.deepEqual([kept.locks.held, kept.locks.pending], [[], []]);
    assert.ok(!kept.stored.includes(access) && !kept.stored.includes(refresh));

    // Another session of the same page lives through two lifetimes: all requests are its own.
    await tab.run(async () => {
      const other = e2e.open({ name: "other", leadSeconds: 1 });
      const { body } = await e2e.login("demo", "demo");
      other.session.start(body);
      await other.until("refreshed", 2);
      other.session.dispose();
    });
    const { requests } = await counted();
    assert.deepEqual(requests, { "POST /auth/login": 1, "POST /oauth/token": 1 + 2 });
    assert.deepEqual(await tab.told(), { started: 1, "signed-out": 1 });
    assert.equal((await tab.stats()).outcomes.committed, 0);
  });
}
