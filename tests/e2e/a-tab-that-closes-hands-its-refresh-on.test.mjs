import assert from "node:assert/strict";
import { test } from "node:test";

import { holdUp } from "./support/holdup.mjs";
import { world } from "./support/world.mjs";

const w = world();

for (const storage of ["memory", "local"]) {
  test(`a tab closes during its refresh: another ends it with its key (${storage})`, async (t) => {
    const profile = await w.profile(t);
    const [a, b] = [await w.open(profile, { storage }), await w.open(profile, { storage })];
    await a.signIn();
    await b.restore();
    const counted = await holdUp(w.server, a, "delay-after-commit", 20_000);
    await b.beginRefresh();

    await a.close();

    assert.equal((await b.refreshing()).error, undefined);
    assert.deepEqual((await counted()).refreshes, { T5: 1, T6: 1 });
    assert.equal((await b.snapshot()).generation, 2);
    assert.deepEqual(await b.told(), { started: 1, refreshed: 1 });
    assert.equal((await b.fetch("/api/me")).status, 200);
  });
}
