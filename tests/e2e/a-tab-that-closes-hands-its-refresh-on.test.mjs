import assert from "node:assert/strict";
import { test } from "node:test";

import { poll } from "./support/waiting.mjs";
import { world } from "./support/world.mjs";

const w = world();

for (const storage of ["memory", "local"]) {
  test(`a tab closes during its refresh: another ends it with its key (${storage})`, async (t) => {
    const profile = await w.profile(t);
    const [a, b] = [await w.open(profile, { storage }), await w.open(profile, { storage })];
    await a.signIn();
    await b.restore();
    await w.server.fault("POST /oauth/token", "delay-after-commit", { delay_ms: 20_000 });
    const counted = await w.server.count();
    await a.run(() => {
      void e2e.outcome(session.refresh());
    });
    await poll("the commit", async () => (await counted()).refreshes.T5);
    await b.run(() => {
      globalThis.refreshing = e2e.outcome(session.refresh());
    });

    await a.close();

    assert.equal((await b.run(() => refreshing)).error, undefined);
    assert.deepEqual((await counted()).refreshes, { T5: 1, T6: 1 });
    assert.equal((await b.snapshot()).generation, 2);
    assert.deepEqual(await b.told(), { started: 1, refreshed: 1 });
    assert.equal((await b.fetch("/api/me")).status, 200);
  });
}
