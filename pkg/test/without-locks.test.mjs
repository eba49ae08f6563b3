// Where there are no locks, nothing is left behind and nothing grows faster than what is asked for.

import assert from "node:assert/strict";
import { test } from "node:test";

import { page, put } from "./page.mjs";
import { API, settle, world } from "./world.mjs";

/** A world without locks that counts the AbortControllers that are made. */
async function begun(t, options) {
  const made = [];
  const Real = AbortController;
  const w = world(t, options);
  put(t, {
    navigator: {},
    AbortController: class extends Real {
      constructor() {
        super();
        made.push(this);
      }
    },
  });
  await w.start();
  return { w, made };
}

test("each refresh makes one AbortController, for its request, and leaves none", async (t) => {
  let sent = 0;
  // Not by a Request, which makes one of its own.
  const fetch = async () => {
    sent += 1;
    return Response.json(w.issue());
  };
  const { w, made } = await begun(t, { fetch });
  const before = made.length;
  for (let i = 0; i < 5; i += 1) {
    const refreshing = w.session.refresh();
    await w.advance(40, 0.1);
    await refreshing;
  }
  assert.equal(sent, 5);
  assert.equal(made.length - before, 5);
});

test("2,000 calls that wait are one waiter of the engine, and settle with one refresh", async (t) => {
  const { w, made } = await begun(t, { waitSeconds: 120 });
  let answer;
  w.auth = () => new Promise((resolve) => { answer = () => resolve(Response.json(w.issue())); });
  await w.advance(310, 5);
  const before = made.length;
  const calls = Array.from({ length: 2_000 }, (_, i) =>
    i % 2 ? w.session.getAccessToken() : w.session.fetch(`${API}/${i}`),
  );
  await settle();
  assert.equal(made.length - before, 1, "what they share");
  while (!answer) await w.advance(1);
  w.auth = () => Response.json(w.issue());
  answer();
  await w.advance(2, 0.5);
  await Promise.all(calls);
  assert.equal(w.sent.length, 1_000);
});

for (const [what, event] of [
  ["another tab cleared it", (p) => p.fire("storage", { key: null })],
  ["the page itself cleared it, and is left", (p) => p.fire("pagehide")],
]) {
  test(`a record that is lost while somebody is signed in is back at once: ${what}`, async (t) => {
    const p = page(t);
    const w = world(t, { origins: [API], storage: "local" });
    await w.start();
    const key = [...p.local.items.keys()].find((key) => key.startsWith("everfresh:"));
    const before = p.local.items.get(key);
    p.local.items.clear();
    event(p);
    assert.equal(p.local.items.get(key), before);
    await w.session.signOut();
    p.local.items.clear();
    event(p);
    assert.ok(!p.local.items.get(key)?.includes(w.current), "what is over does not come back");
  });
}

test("with a cookie a page load asks other tabs for at most 100 ms", async (t) => {
  page(t);
  const w = world(t, { origins: [API], refresh: { url: "https://auth.test/token", style: "cookie" } });
  const restoring = w.session.restore();
  await settle();
  t.mock.timers.tick(100);
  await settle();
  assert.equal(w.refreshes.length, 1);
  assert.equal((await restoring).status, "active");
});
