import assert from "node:assert/strict";
import { test } from "node:test";

import { holdUp } from "./support/holdup.mjs";
import { Inner } from "./support/inner.mjs";
import { world } from "./support/world.mjs";

const w = world();

for (const storage of ["local", "session"]) {
  test(`the page keeps what a worker fetched, and reloads with it (${storage})`, async (t) => {
    const [tab, worker] = await signedIn(t, storage);
    await worker.refresh();
    await worker.refresh();
    await tab.generation(3);
    const counted = await w.server.count();

    // With the page its worker is gone as well.
    await tab.reload();

    const { status, generation } = await tab.restore();
    assert.deepEqual([status, generation], ["active", 3]);
    assert.equal((await tab.refresh()).error, undefined);
    assert.deepEqual((await counted()).refreshes, { T5: 1 });
  });

  test(`a sign-out in a worker holds when the page is loaded again (${storage})`, async (t) => {
    const [tab, worker] = await signedIn(t, storage);
    const { refresh_token: token } = await tab.signIn();
    await worker.generation(1);

    await worker.signOut();
    await tab.event("signed-out");

    const stored = () => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]);
    assert.ok(!(await tab.run(stored)).includes(token));
    await tab.reload();
    const { status, reason } = await tab.restore();
    assert.deepEqual([status, reason], ["signed-out", "signed-out"]);
  });

  const lost = { "is ended": (_, worker) => worker.end(), "goes with its page": reloaded };
  for (const [how, lose] of Object.entries(lost)) {
    test(`a worker that ${how} in its refresh hands on its key (${storage})`, async (t) => {
      const [tab, worker] = await signedIn(t, storage);
      const counted = await holdUp(w.server, worker, "delay-after-commit", 20_000);

      await lose(tab, worker);

      assert.equal((await tab.refresh()).error, undefined);
      assert.deepEqual((await counted()).refreshes, { T5: 1, T6: 1 });
      assert.equal((await tab.snapshot()).generation, 2);
      assert.equal((await tab.fetch("/api/me")).status, 200);
    });
  }
}

test("a page that closes in its refresh hands its key on to a worker", async (t) => {
  const profile = await w.profile(t);
  const [first, second] = [await w.open(profile), await w.open(profile)];
  await first.signIn();
  const worker = await Inner.begin(second, "dedicated", {});
  await worker.restore();
  const counted = await holdUp(w.server, first, "delay-after-commit", 20_000);
  await worker.beginRefresh();

  await first.close();

  assert.equal((await worker.refreshing()).error, undefined);
  assert.deepEqual((await counted()).refreshes, { T5: 1, T6: 1 });
  assert.equal((await worker.fetch("/api/me")).status, 200);
});

test("a worker that is given the page's idleSeconds is idle with its user", async (t) => {
  const options = { idleMode: "end", idleSeconds: 4, warnSeconds: 2 };
  const [tab, worker] = await signedIn(t, "memory", options);
  await worker.event("warning");

  await tab.touch();

  await worker.event("extended");
  for (const one of [tab, worker]) assert.equal((await one.event("signed-out")).reason, "idle");
});

/** A page and its worker, which it has signed in. */
async function signedIn(t, storage, options = {}) {
  const tab = await w.tab(t, { storage, ...options });
  await tab.signIn();
  const worker = await Inner.begin(tab, "dedicated", options);
  await worker.restore();
  return [tab, worker];
}

async function reloaded(tab) {
  await tab.reload();
  await tab.restore();
}
