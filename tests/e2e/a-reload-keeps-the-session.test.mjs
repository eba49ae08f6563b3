import assert from "node:assert/strict";
import { test } from "node:test";

import { holdUp } from "./support/holdup.mjs";
import { signedInTabs } from "./support/tabs.mjs";
import { world } from "./support/world.mjs";

const w = world();

test("a reload finds the session in storage and makes no refresh", async (t) => {
  const tab = await w.tab(t, { storage: "local" });
  await tab.signIn();
  const { subject, generation, expiresAt } = await tab.snapshot();
  const counted = await w.server.count();

  await tab.reload();
  assert.equal((await tab.snapshot()).status, "unknown");
  const restored = await tab.restore();

  assert.equal(restored.status, "active");
  assert.deepEqual(
    [restored.subject, restored.generation, restored.expiresAt],
    [subject, generation, expiresAt],
  );
  assert.equal((await tab.fetch("/api/me")).status, 200);
  assert.deepEqual((await counted()).requests, { "GET /api/me": 1 });
  assert.deepEqual(await tab.told(), { started: 1 });
});

test("a tab with sessionStorage keeps what another fetched before it closed", async (t) => {
  const [a, b] = await signedInTabs(w, await w.profile(t), 2, { storage: "session" });
  await a.refresh();
  await a.refresh();
  await b.generation(3);
  await a.close();
  const counted = await w.server.count();

  await b.reload();

  const { status, generation } = await b.restore();
  assert.deepEqual([status, generation], ["active", 3]);
  assert.equal((await b.fetch("/api/me")).status, 200);
  assert.deepEqual((await counted()).requests, { "GET /api/me": 1 });
});

test("ten reloads in the middle of a refresh lose nothing", async (t) => {
  const tab = await w.tab(t, { storage: "local" });
  await tab.signIn();
  const counted = await w.server.count();

  for (let round = 1; round <= 10; round += 1) {
    // Odd rounds never get to the server's books, even ones do.
    const kind = round % 2 ? "hang" : "delay-after-commit";
    await holdUp(w.server, tab, kind, 20_000);
    await tab.reload();
    const { status, generation } = await tab.restore();
    assert.deepEqual([status, generation], ["active", 1]);
  }

  assert.equal((await tab.refresh()).error, undefined);
  const { requests, refreshes } = await counted();
  assert.equal(requests["POST /oauth/token"], 11);
  assert.deepEqual(refreshes, { T5: 1, T6: 5 });
  const { status, generation } = await tab.snapshot();
  assert.deepEqual([status, generation], ["active", 2]);
  assert.equal((await tab.fetch("/api/me")).status, 200);
});
