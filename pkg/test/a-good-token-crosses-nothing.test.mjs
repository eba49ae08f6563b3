import assert from "node:assert/strict";
import { test } from "node:test";

import { page } from "./page.mjs";
import { API, settle, world } from "./world.mjs";

/** Calls into the wasm so far. */
let crossings = 0;

const { Instance } = WebAssembly;
WebAssembly.Instance = function (module, imports) {
  const { exports } = new Instance(module, imports);
  const counted = ([name, value]) => {
    if (typeof value !== "function") return [name, value];
    return [name, (...given) => ((crossings += 1), value(...given))];
  };
  return { exports: Object.fromEntries(Object.entries(exports).map(counted)) };
};

/** How often a method is called from now on. */
const calls = (t, object, name) => t.mock.method(object, name).mock;

/** Counts how often each of these classes of the platform is constructed from now on. */
function constructions(t, ...names) {
  const counts = names.map(() => 0);
  names.forEach((name, at) => {
    const original = globalThis[name];
    const construct = (...given) => ((counts[at] += 1), Reflect.construct(...given));
    globalThis[name] = new Proxy(original, { construct });
    t.after(() => {
      globalThis[name] = original;
    });
  });
  return counts;
}

/** The Node entry may be played by plain JavaScript (plain.mjs), which has no exports to count. */
const skip = import.meta.resolve("../dist/inline.js").endsWith("/js.js");

test("a request with a good token calls no wasm, reads no storage and sets no timer", { skip }, async (t) => {
  const { local, session } = page(t);
  const w = world(t, { storage: "local" });
  await w.start();
  const touched = [
    ...["getItem", "setItem", "removeItem"].flatMap((name) =>
      [local, session].map((area) => calls(t, area, name))),
    ...["setTimeout", "clearTimeout", "setInterval"].map((name) => calls(t, globalThis, name)),
  ];
  const before = crossings;
  assert.ok(before > 0, "they are counted");
  const body = JSON.stringify({ a: 1 });
  for (let i = 0; i < 10; i += 1) {
    await w.session.fetch(`${API}/orders`);
    await w.session.fetch(new URL(API), { method: "POST", body, headers: { "X-A": "1" } });
    await w.session.fetch(new Request(`${API}/a`, { method: "PUT", body }), { cache: "no-cache" });
    await w.session.fetch("https://other.test/");
    await w.session.getAccessToken();
  }
  await settle();
  assert.equal(crossings, before);
  assert.deepEqual(touched.map((mock) => mock.callCount()), touched.map(() => 0));
  assert.equal(w.sent.filter(({ token }) => token === w.current).length, 30);
});

test("a plain call makes no Headers, no Request and no URL", async (t) => {
  const seen = [];
  const fetch = async (input, init) => {
    seen.push(init.headers);
    return new Response();
  };
  const { document } = page(t);
  const w = world(t, { origins: undefined, fetch });
  await w.start();
  await w.session.fetch("/first");
  await w.session.fetch("https://app.test/first");
  const made = constructions(t, "Headers", "Request", "URL");
  const headers = { "Content-Type": "application/json" };
  for (const address of ["/", "/orders?a=//b", "https://app.test", "https://app.test/orders#a"]) {
    await w.session.fetch(address);
    await w.session.fetch(address, { method: "POST", headers, body: "{}" });
  }
  assert.deepEqual(made, [0, 0, 0]);
  assert.ok(seen.every(({ Authorization }) => Authorization === `Bearer ${w.current}`));
  assert.equal(document.baseURI, "https://app.test/");
});

/** What as many calls at once cost, from when no token is good any more until all are done. */
async function wave(t, count, begin) {
  const w = world(t);
  await w.start();
  await begin(w);
  const made = constructions(t, "URL");
  const before = crossings;
  const calls = Array.from({ length: count }, (_, i) => w.session.fetch(`${API}/${i}`));
  const responses = await Promise.all(calls);
  await settle();
  assert.ok(responses.every(({ status }) => status === 200));
  const { sent, resent, waited } = w.session.stats.requests;
  // The transport of the test makes one of each address that it is given.
  const urls = made[0] - sent - resent;
  t.mock.timers.reset();
  t.mock.restoreAll();
  return { crossings: crossings - before, refreshes: w.refreshes.length, sent, resent, waited, urls };
}

test("a thousand 401s of one token cross and parse addresses as often as one", async (t) => {
  const revoke = (w) => {
    w.current = undefined;
  };
  const one = await wave(t, 1, revoke);
  assert.deepEqual(one, { ...one, refreshes: 1, sent: 1, resent: 1, waited: 0 });
  assert.deepEqual(await wave(t, 1_000, revoke), { ...one, sent: 1_000, resent: 1_000 });
});

test("a thousand calls after the token ran out cross and parse addresses as often as one", async (t) => {
  // As after sleep: no timer has fired yet.
  const expire = () => t.mock.timers.setTime(Date.now() + 400_000);
  const one = await wave(t, 1, expire);
  assert.deepEqual(one, { ...one, refreshes: 1, sent: 1, resent: 0, waited: 1 });
  assert.deepEqual(await wave(t, 1_000, expire), { ...one, sent: 1_000, waited: 1_000 });
});
