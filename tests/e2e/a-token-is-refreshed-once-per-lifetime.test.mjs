import assert from "node:assert/strict";
import { test } from "node:test";

import { world } from "./support/world.mjs";

const LIFETIMES = 5;
// Three seconds from one refresh to the next: two more than the shortest, for a busy machine.
const w = world({ accessTtl: "5s" });

test("several short lifetimes: one refresh each, before expiry, and never a 401", async (t) => {
  const tab = await w.tab(t, { leadSeconds: 2 });
  const counted = await w.server.count();
  await tab.signIn();
  await tab.run(() => {
    globalThis.statuses = [];
    const ask = async () => statuses.push((await session.fetch("/api/me")).status);
    setInterval(ask, 100);
  });
  await tab.event("refreshed", LIFETIMES);

  const { answers, refreshes } = await counted();
  assert.deepEqual(refreshes, { T5: LIFETIMES });
  assert.equal(answers["POST /oauth/token 200"], LIFETIMES);
  assert.equal(answers["GET /api/me 401"], undefined);
  assert.ok(answers["GET /api/me 200"] > LIFETIMES, "requests went on all the time");
  assert.deepEqual(new Set(await tab.run(() => statuses)), new Set([200]));

  assert.deepEqual(await tab.told(), { started: 1, refreshed: LIFETIMES });
  const events = await tab.events();
  for (const [i, { at, reason, generation }] of events.entries()) {
    assert.equal(generation, i + 1);
    if (i === 0) continue;
    assert.equal(reason, "scheduled");
    const { refreshAt, expiresAt } = events[i - 1];
    assert.equal(refreshAt, expiresAt - 2_000);
    assert.ok(at >= refreshAt, "not before it is due");
    assert.ok(at < expiresAt, "before the token runs out");
  }
  const { refreshes: begun, outcomes, requests } = await tab.stats();
  assert.equal(begun.scheduled, LIFETIMES);
  const { committed, ...others } = outcomes;
  assert.equal(committed, LIFETIMES);
  assert.deepEqual(others, { adopted: 0, transient: 0, final: 0, discarded: 0 });
  assert.equal(requests.resent, 0);
});
