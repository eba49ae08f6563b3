import assert from "node:assert/strict";
import { test } from "node:test";

import { lockManager, page, put } from "./page.mjs";
import { settle, world } from "./world.mjs";

for (const [type, back, fields] of [
  ["pagehide", "pageshow", { persisted: true }],
  ["freeze", "resume", {}],
]) {
  test(`${type} in the middle of a refresh lets go of the lock and the channel`, async (t) => {
    const { fire } = page(t);
    const locks = lockManager();
    const channels = openChannels(t);
    put(t, { navigator: { locks, onLine: true } });
    const w = world(t);
    await w.start();
    w.auth = () => new Promise(() => {});
    const refresh = w.session.refresh().then(
      () => "done",
      ({ code }) => code,
    );
    await settle();
    assert.deepEqual([locks.held.length, channels.size], [1, 1]);

    fire(type, fields);
    await settle();
    assert.deepEqual([locks.held.length, channels.size], [0, 0]);

    w.auth = () => Response.json(w.issue());
    fire(back, fields);
    await w.advance(20);
    assert.equal(channels.size, 1);
    assert.equal(await refresh, "ERR_REFRESH_TIMEOUT", "what hung is told");
    await w.session.refresh();
    await settle();
    assert.equal(w.session.snapshot.status, "active");
    assert.deepEqual(locks.held, []);
  });
}

test("every listener is passive and captures, and is removed as it was added", async (t) => {
  page(t);
  const added = [];
  const removed = [];
  put(t, {
    addEventListener: (type, listener, options) => added.push({ type, listener, ...options }),
    removeEventListener: (type, listener, options) => removed.push({ type, listener, ...options }),
  });
  const w = world(t);
  await w.start();
  assert.ok(added.length > 10);
  for (const { type, capture, passive, signal } of added) {
    // An abort signal would have to be of the page's realm.
    assert.deepEqual([capture, passive, signal], [true, true, undefined], type);
  }
  assert.deepEqual(removed, []);
  w.session.dispose();
  assert.deepEqual(removed, added);
});

test("a stream of input costs one look a second", async (t) => {
  const { fire } = page(t);
  const w = world(t, { idleSeconds: 100, idleMode: "end", warnSeconds: 90 });
  await w.start();
  await w.advance(20);
  let changes = 0;
  w.session.subscribe(() => {
    changes += 1;
  });
  for (let i = 0; i < 1_000; i += 1) fire("pointermove");
  assert.ok(changes <= 1, `${changes} snapshots`);
  assert.equal(w.told.filter((type) => type === "extended").length, 1);
});

test("where no channel can be opened the session does without", async (t) => {
  page(t);
  put(t, {
    BroadcastChannel: class {
      constructor() {
        throw new DOMException("an opaque origin", "SecurityError");
      }
    },
  });
  const w = world(t);
  await w.start();
  await w.session.refresh();
  assert.equal(w.session.snapshot.generation, 2);
  assert.deepEqual(w.told, ["started", "refreshed"]);
});

test("what is no message of ours on the channel changes nothing", async (t) => {
  page(t);
  const channels = openChannels(t);
  const w = world(t);
  await w.start();
  const before = w.session.snapshot;
  const [channel] = channels;
  for (const data of ["", "everfresh 99\nfrom the future", "x".repeat(10_000), null, 7, {}, []]) {
    channel.onmessage({ data });
  }
  await settle();
  assert.equal(w.session.snapshot, before);
  assert.deepEqual(w.told, ["started"]);
});

/** The channels that are open. */
function openChannels(t) {
  const open = new Set();
  put(t, {
    BroadcastChannel: class {
      constructor() {
        open.add(this);
      }
      postMessage() {}
      close() {
        open.delete(this);
      }
    },
  });
  return open;
}
