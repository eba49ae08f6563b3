import assert from "node:assert/strict";
import { test } from "node:test";

import { lockManager, page, put } from "./page.mjs";
import { API, settle, world } from "./world.mjs";

const active = (listeners) => [...listeners.values()].reduce((sum, count) => sum + count, 0);

test("listeners exist between the first start and dispose only, and none is for unload", async (t) => {
  const { listeners } = page(t);
  const w = world(t);
  assert.equal(active(listeners), 0);
  await w.start();
  await w.start();
  assert.ok(active(listeners) > 0);
  assert.ok([...listeners.values()].every((count) => count === 1));
  assert.ok(!listeners.has("unload") && !listeners.has("beforeunload"));
  w.session.dispose();
  assert.equal(active(listeners), 0);
});

test("user input keeps the session from idling; a refresh or a request does not", async (t) => {
  const { fire } = page(t);
  const w = world(t, { idleSeconds: 200, idleMode: "end", warnSeconds: 20 });
  await w.start();
  for (let i = 0; i < 10; i += 1) {
    await w.advance(100, 5);
    fire("pointermove");
  }
  assert.equal(w.session.snapshot.status, "active");
  await w.advance(100, 5);
  await w.session.fetch(API);
  await w.advance(110, 5);
  assert.equal(w.session.snapshot.reason, "idle");
});

test("activityEvents say what user input is", async (t) => {
  const { fire, listeners } = page(t);
  const w = world(t, { idleSeconds: 100, idleMode: "end", activityEvents: ["click"] });
  await w.start();
  assert.equal(listeners.get("pointermove"), undefined);
  await w.advance(90, 5);
  fire("pointermove");
  fire("click");
  await w.advance(50, 5);
  assert.equal(w.session.snapshot.status, "warning");
});

test("an hour's sleep: ends are decided before anything else, input revives nothing", async (t) => {
  const { fire } = page(t);
  const w = world(t, { idleSeconds: 900, idleMode: "end" });
  await w.start();
  t.mock.timers.setTime(Date.now() + 3_600_000);
  fire("pointerdown");
  fire("visibilitychange");
  await settle();
  assert.equal(w.session.snapshot.reason, "idle");
  assert.equal(w.refreshes.length, 0);
});

test("showing and hiding a page with a valid token is no event and no request", async (t) => {
  const { fire, document } = page(t);
  const w = world(t);
  await w.start();
  const told = w.told.length;
  for (let i = 0; i < 50; i += 1) {
    document.visibilityState = i % 2 ? "visible" : "hidden";
    fire("visibilitychange");
    fire("focus");
  }
  await settle();
  assert.equal(w.told.length, told);
  assert.equal(w.refreshes.length, 0);
});

test("the default origin is the page's own", async (t) => {
  page(t);
  const urls = [];
  const fetch = async (url, init) => {
    urls.push([url, new Headers(init?.headers).has("authorization")]);
    return new Response();
  };
  const w = world(t, { origins: undefined, fetch });
  await w.start();
  for (const url of ["/orders", "orders", "https://app.test/x", "//evil.test/", "https://api.test/"]) {
    await w.session.fetch(url);
  }
  assert.deepEqual(urls.map(([, carried]) => carried), [true, true, true, false, false]);
});

const places = {
  memory: ({ local, session }, kept) => {
    assert.ok(local.items.has(kept));
    assert.equal(session.items.size, 0);
  },
  session: ({ local, session }, kept) => {
    assert.match(session.items.get(kept), /eyJ/);
    assert.ok(local.items.has(kept));
  },
  local: ({ local, session }, kept) => {
    assert.match(local.items.get(kept), /eyJ/);
    assert.equal(session.items.size, 0);
  },
};

for (const [storage, check] of Object.entries(places)) {
  test(`storage ${storage}: tokens lie where they should and nowhere else`, async (t) => {
    const around = page(t);
    const w = world(t, { storage });
    await w.start();
    check(around, `everfresh:${w.options.name}`);
    if (storage !== "local") {
      for (const text of around.local.items.values()) assert.doesNotMatch(text, /(?<![\w-])eyJ|refresh-1/);
    }
    assert.ok(!w.told.includes("storage-degraded"));

    await w.session.signOut();
    await settle();
    for (const area of [around.local, around.session]) {
      for (const text of area.items.values()) assert.doesNotMatch(text, /(?<![\w-])eyJ|refresh-1/);
    }
  });
}

for (const storage of ["session", "local"]) {
  test(`storage ${storage}: a page load restores without a refresh`, async (t) => {
    page(t);
    const first = world(t, { storage });
    await first.start();
    const token = await first.session.getAccessToken();
    first.session.dispose();
    t.mock.timers.reset();
    const second = world(t, { storage, name: first.options.name });
    const restored = second.session.restore();
    await second.advance(2);
    assert.equal((await restored).status, "active");
    assert.equal(await second.session.getAccessToken(), token);
    assert.equal(second.refreshes.length, 0);
  });
}

test("a place of the application's own, asynchronous", async (t) => {
  const items = new Map();
  const storage = {
    get: async (key) => items.get(key) ?? null,
    set: async (key, value) => void items.set(key, value),
    remove: async (key) => void items.delete(key),
  };
  const first = world(t, { storage });
  await first.start();
  await first.session.refresh();
  const token = await first.session.getAccessToken();
  assert.match(items.get(`everfresh:${first.options.name}`), /eyJ/);
  first.session.dispose();
  t.mock.timers.reset();
  const second = world(t, { storage, name: first.options.name });
  const restored = second.session.restore();
  await second.advance(2);
  assert.equal((await restored).status, "active");
  assert.equal(await second.session.getAccessToken(), token);
});

test("a place whose methods are a class's own", async (t) => {
  const { local } = page(t);
  const items = new Map();
  class Place {
    static get = (key) => items.get(key);
    static set = (key, value) => items.set(key, value);
    static remove = (key) => items.delete(key);
  }
  const w = world(t, { storage: Place });
  await w.start();
  assert.match(items.get(`everfresh:${w.options.name}`), /eyJ/);
  assert.equal(local.items.size, 0);
});

/** A place whose answers take a turn of the event loop each, in order. */
function slowPlace(items) {
  const answer = (value) => new Promise((resolve) => setImmediate(resolve, value));
  return {
    get: (key) => answer(items.get(key)),
    set: (key, value) => answer().then(() => void items.set(key, value)),
    remove: (key) => answer().then(() => void items.delete(key)),
  };
}

test("a slow place still forgets the tokens when the session is disposed after sign-out", async (t) => {
  const items = new Map();
  const w = world(t, { storage: slowPlace(items) });
  await w.start();
  const key = `everfresh:${w.options.name}`;
  assert.match(items.get(key), /eyJ/);
  await w.session.signOut();
  w.session.dispose();
  await settle();
  assert.doesNotMatch(items.get(key), /(?<![\w-])eyJ|refresh-/);
});

test("a slow place that holds no record keeps the one that takes its place", async (t) => {
  const items = new Map();
  const w = world(t, { storage: slowPlace(items) });
  const key = `everfresh:${w.options.name}`;
  items.set(key, "no record");
  await w.start();
  await settle();
  assert.equal(items.get(`${key}:set-aside`), "no record");
  assert.match(items.get(key), /eyJ/);
});

const failures = {
  "throws on every access": (around) => { around.local.broken = new Error("SecurityError"); },
  "is not there": () => { delete globalThis.localStorage; },
};

for (const [name, fail] of Object.entries(failures)) {
  test(`storage that ${name} costs one event`, async (t) => {
    fail(page(t));
    const w = world(t);
    await w.start();
    await w.session.refresh();
    await w.advance(600, 5);
    assert.equal(w.session.snapshot.status, "active");
    assert.equal(w.told.filter((type) => type === "storage-degraded").length, 1);
  });
}

test("a record that is none is set aside", async (t) => {
  const { local } = page(t);
  const w = world(t);
  const key = `everfresh:${w.options.name}`;
  local.items.set(key, "everfresh 99\nfrom the future");
  const restored = w.session.restore();
  await w.advance(2);
  assert.equal((await restored).reason, "corrupt-storage");
  assert.equal(local.items.get(`${key}:set-aside`), "everfresh 99\nfrom the future");
  assert.ok(!local.items.get(key)?.includes("99"));
  await w.start();
  assert.equal(w.session.snapshot.status, "active");
});

test("a storage event brings the news of another tab", async (t) => {
  const { fire } = page(t);
  put(t, { BroadcastChannel: undefined });
  const w = world(t, { storage: "local" });
  await w.start();
  // Another copy of the package is another tab.
  const other = (await import("../dist/inline.js?tab")).createSession(w.options);
  t.after(() => other.dispose());
  const restored = other.restore();
  await w.advance(2);
  assert.equal((await restored).status, "active");
  await other.signOut();
  await settle();
  fire("storage", { key: "something else" });
  await settle();
  assert.equal(w.session.snapshot.status, "active");
  fire("storage", { key: `everfresh:${w.options.name}` });
  await settle();
  assert.equal(w.session.snapshot.reason, "signed-out");
});

test("the channel is closed on pagehide and opened again on pageshow", async (t) => {
  const { fire } = page(t);
  const channels = [];
  put(t, {
    BroadcastChannel: class {
      constructor(name) {
        this.name = name;
        channels.push(this);
      }
      postMessage() {
        assert.ok(!this.closed);
      }
      close() {
        this.closed = true;
      }
    },
  });
  const w = world(t);
  assert.equal(channels.length, 0);
  await w.start();
  assert.deepEqual(channels.map(({ name }) => name), [`everfresh:${w.options.name}`]);
  fire("pagehide", { persisted: true });
  assert.ok(channels[0].closed);
  await w.session.refresh();
  fire("pageshow", { persisted: false });
  assert.equal(channels.length, 1);
  fire("pageshow", { persisted: true });
  assert.equal(channels.length, 2);
  w.session.dispose();
  assert.ok(channels[1].closed);
});

test("the lock is held around a refresh and released after it", async (t) => {
  page(t);
  const locks = lockManager();
  put(t, { navigator: { locks, onLine: true } });
  const w = world(t);
  await w.start();
  const during = [];
  w.auth = () => {
    during.push([...locks.held]);
    return Response.json(w.issue());
  };
  await w.session.refresh();
  await settle();
  await w.session.refresh();
  await settle();
  const name = `everfresh:${w.options.name}`;
  assert.deepEqual(during, [[name], [name]]);
  assert.deepEqual(locks.held, []);
  const { requested, granted } = w.session.stats.locks;
  assert.deepEqual([requested, granted], [2, 2]);
});

test("a lock manager that throws costs a look around", async (t) => {
  page(t);
  put(t, { navigator: { locks: { request: () => { throw new Error("SecurityError"); } } } });
  const w = world(t);
  await w.start();
  const refreshed = w.session.refresh();
  await w.advance(2);
  await refreshed;
  assert.equal(w.session.snapshot.generation, 2);
});

test("dispose releases the lock and lets the page go", async (t) => {
  page(t);
  const locks = lockManager();
  put(t, { navigator: { locks } });
  const w = world(t);
  await w.start();
  w.auth = () => new Promise(() => {});
  const refresh = assert.rejects(w.session.refresh(), { code: "ERR_DISPOSED" });
  await settle();
  assert.equal(locks.held.length, 1);
  w.session.dispose();
  await refresh;
  await settle();
  assert.deepEqual(locks.held, []);
});

test("a page that missed the network's return finds out when it wakes", async (t) => {
  const { fire } = page(t);
  put(t, { navigator: { locks: lockManager(), onLine: true } });
  const w = world(t, { idleSeconds: Infinity });
  await w.start();
  fire("offline");
  const { auth } = w;
  w.auth = () => Promise.reject(new TypeError("no network"));
  await w.advance(700, 10);
  assert.equal(w.session.snapshot.status, "stale");
  w.auth = auth;
  const tried = w.refreshes.length;
  fire("visibilitychange");
  await w.advance(2);
  assert.equal(w.refreshes.length, tried + 1);
  assert.equal(w.session.snapshot.status, "active");
});
