import assert from "node:assert/strict";
import { test } from "node:test";

import { embed, INSIDE } from "./support/embedding.mjs";
import { needs } from "./support/engine.mjs";
import { Inner } from "./support/inner.mjs";
import { world } from "./support/world.mjs";

const LIFETIMES = 3;
// Two seconds from one refresh to the next: time enough to count on a busy machine.
const w = world({ accessTtl: "3s", browser: { denies: INSIDE } });

for (const storage of ["memory", "session", "local"]) {
  const title = `a frame of another site, which is denied storage: one event (${storage})`;
  test(title, needs("denied frames"), async (t) => {
    const site = await embed(w.server);
    t.after(site.close);
    const tab = await w.visit(await w.profile(t), site.outside);
    const frame = await Inner.begin(tab, "frame", { storage, leadSeconds: 1 }, site.inside);
    assert.equal((await frame.ask("storage")).error.name, "SecurityError");
    await frame.signIn();
    const counted = await w.server.count();

    await frame.event("refreshed", LIFETIMES);

    assert.deepEqual((await counted()).refreshes, { T5: LIFETIMES });
    const told = { started: 1, "storage-degraded": 1, refreshed: LIFETIMES };
    assert.deepEqual(await frame.told(), told);
    assert.equal((await frame.fetch("/api/me")).status, 200);
    await frame.signOut();
    // Another refresh may have come meanwhile, and nothing else.
    const { refreshed } = await frame.told();
    assert.deepEqual(await frame.told(), { ...told, refreshed, "signed-out": 1 });
    assert.equal((await counted()).answers["POST /oauth/revoke 200"], 1);
  });
}
