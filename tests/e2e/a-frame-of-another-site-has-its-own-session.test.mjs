import assert from "node:assert/strict";
import { test } from "node:test";

import { embed } from "./support/embedding.mjs";
import { Inner } from "./support/inner.mjs";
import { agreeOn } from "./support/tabs.mjs";
import { world } from "./support/world.mjs";

const w = world();

test("frames on another site's pages are one session, and the site itself another", async (t) => {
  const site = await embed(w.server);
  t.after(site.close);
  const profile = await w.profile(t);
  const options = { storage: "local" };
  const [a, b] = [await w.visit(profile, site.outside), await w.visit(profile, site.outside)];
  const first = await Inner.begin(a, "frame", options, site.inside);
  assert.deepEqual(await first.ask("storage"), { value: 0 }, "there is some, and nothing in it");
  await first.signIn();
  const counted = await w.server.count();

  const second = await Inner.begin(b, "frame", options, site.inside);
  assert.equal((await second.restore()).status, "active");
  await first.refresh();
  await agreeOn(2, [first, second]);
  await second.refresh();
  await agreeOn(3, [first, second]);

  assert.equal((await first.fetch("/api/me")).status, 200);
  for (const frame of [first, second]) {
    assert.deepEqual(await frame.told(), { started: 1, refreshed: 2 });
  }
  await a.reload();
  const again = await Inner.begin(a, "frame", options, site.inside);
  const { status, generation } = await again.restore();
  assert.deepEqual([status, generation], ["active", 3]);
  // Browsers keep the storage of a site in frames apart from its own.
  const own = await w.visit(profile, site.own, options);
  assert.equal((await own.restore()).status, "signed-out");
  assert.deepEqual((await counted()).requests, { "GET /api/me": 1, "POST /oauth/token": 2 });
});
