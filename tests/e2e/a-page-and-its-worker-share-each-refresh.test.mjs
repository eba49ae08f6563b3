import assert from "node:assert/strict";
import { test } from "node:test";

import { Inner, WORKERS } from "./support/inner.mjs";
import { agreeOn } from "./support/tabs.mjs";
import { world } from "./support/world.mjs";

const LIFETIMES = 3;
// Two seconds from one refresh to the next: time enough to count on a busy machine.
const w = world({ accessTtl: "3s" });

for (const kind of WORKERS) {
  const begins = `a session begins in a ${kind} worker, its page follows`;
  test(`${begins}: one refresh per lifetime in all`, async (t) => {
    const tab = await w.tab(t, { storage: "local", leadSeconds: 1 });
    assert.equal((await tab.restore()).status, "signed-out");
    const worker = await Inner.begin(tab, kind, { leadSeconds: 1 });
    await worker.signIn();
    const counted = await w.server.count();
    await tab.event("started");

    await agreeOn(LIFETIMES + 1, [tab, worker]);

    // A worker has no localStorage, and nothing has its message come before the lock: the page may
    // ask once more with the same key (T6), which rotates nothing.
    const { T6: repeated = 0, ...rotated } = (await counted()).refreshes;
    assert.deepEqual(rotated, { T5: LIFETIMES });
    assert.ok(repeated < LIFETIMES, "messages come in time as a rule");
    const told = { started: 1, refreshed: LIFETIMES };
    assert.deepEqual(await tab.told(), told);
    assert.deepEqual(await worker.told(), { ...told, "storage-degraded": 1 });
    const stats = await Promise.all([tab.stats(), worker.stats()]);
    const committed = stats.map(({ outcomes }) => outcomes.committed);
    const more = committed[0] + committed[1] - LIFETIMES;
    assert.ok(more >= 0 && more <= repeated, `${more} more, ${repeated} repeated`);
    assert.equal((await worker.fetch("/api/me")).status, 200);
    t.diagnostic(`committed by page and worker: ${committed}; T6: ${repeated}`);
  });
}
