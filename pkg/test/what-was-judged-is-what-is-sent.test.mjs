import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";

import { page } from "./page.mjs";
import { API, settle, world } from "./world.mjs";

const EVIL = "https://evil.test";

/** A session of https://app.test, and what its transport was given: `{ address, token }`. */
async function app(t, options) {
  const given = [];
  const { document } = page(t);
  const fetch = async (input, init) => {
    const headers = new Headers(init?.headers ?? input.headers);
    const address = new URL(input.url ?? input, document.baseURI).href;
    if (address.startsWith("https://auth.test")) return Response.json(w.issue());
    given.push({ address, input, init, token: headers.get("authorization") });
    return w.api({ token: headers.get("authorization")?.replace("Bearer ", "") });
  };
  const w = world(t, { origins: undefined, fetch, ...options });
  await w.start();
  return { ...w, w, given, document, session: w.session };
}

test("an address is judged as the URL parser reads it, whatever it looks like", async (t) => {
  const { w, session, given, document } = await app(t);
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  t.diagnostic(`seed ${seed}`);
  const random = generator(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const pieces = [
    ..."//\\\\\t\n\r :@?#.%ab0",
    ...["https:", "http:", "HTTPS:", "blob:", "data:", "//", "/\\", "\\/", "..", "%2f", "\0", "\u3002"],
    ...["app.test", "https://app.test", "evil.test", "https://evil.test", ":443", ":8443", "a:b@"],
  ];
  const bases = [
    ...["https://app.test/", "https://app.test/a/b?c#d", "https://evil.test/", "http://app.test/"],
    ...["https://a:b@app.test/", "about:blank", "https://app.test:8443/"],
  ];
  let allowed = 0;
  for (let i = 0; i < 20_000; i += 1) {
    if (i % 20 === 0) document.baseURI = pick(bases);
    let address = pick(["", "/", "https://app.test"]);
    for (let length = random() * 5; length > 0; length -= 1) address += pick(pieces);
    let url;
    try {
      url = new URL(address, document.baseURI);
    } catch {
      continue;
    }
    const { protocol, origin, username, password } = url;
    const ours = protocol === "https:" && origin === "https://app.test" && !username && !password;
    await session.fetch(address);
    const { token } = given.at(-1);
    assert.equal(token !== null, ours, JSON.stringify([seed, address, document.baseURI]));
    if (ours) allowed += 1;
  }
  assert.ok(allowed > 1_000, `${allowed} were allowed`);
  assert.equal(w.refreshes.length, 0);
});

/** Numbers in [0, 1) that follow from the seed alone: mulberry32. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test("an object that tells another address the second time is asked once", async (t) => {
  const { session, given } = await app(t);
  const addresses = ["https://app.test/a", `${EVIL}/b`];
  await session.fetch({ toString: () => addresses.shift() });
  assert.deepEqual(given.map(({ input }) => input), ["https://app.test/a"]);
  assert.deepEqual(addresses, [`${EVIL}/b`]);
});

test("a URL that is changed during a refresh leads where it led at the call", async (t) => {
  const { w, session, given } = await app(t);
  w.current = undefined;
  const url = new URL("https://app.test/a");
  const call = session.fetch(url);
  url.href = EVIL;
  assert.equal((await call).status, 200);
  assert.deepEqual(given.map(({ address }) => address), ["https://app.test/a", "https://app.test/a"]);
});

for (const [name, hold] of [
  ["after a 401", (w) => (w.current = undefined)],
  ["after waiting for a token", (w) => w.t.mock.timers.setTime(Date.now() + 400_000)],
]) {
  test(`a page whose base changes gets no token sent elsewhere ${name}`, async (t) => {
    const { w, session, given, document } = await app(t);
    document.baseURI = "https://app.test/deep/";
    hold(w);
    const calls = ["/path", "relative", "?query"].map((address) => session.fetch(address));
    document.baseURI = `${EVIL}/`;
    for (const call of calls) assert.equal((await call).status, 200);
    const last = given.slice(-3).map(({ address }) => address);
    assert.deepEqual(last.sort(), [
      ...["https://app.test/deep/?query", "https://app.test/deep/relative", "https://app.test/path"],
    ]);
  });
}

test("the base of a page is looked at for each call", async (t) => {
  const { session, given, document } = await app(t);
  for (const base of ["https://app.test/", EVIL, "https://app.test/x/", "https://app.test.evil.test"]) {
    document.baseURI = base;
    await session.fetch("/a");
  }
  assert.deepEqual(given.map(({ token }) => token !== null), [true, false, true, false]);
});

test("a subclass of Request cannot hide where it leads", async (t) => {
  class Lying extends Request {
    get url() {
      return "https://app.test/";
    }
  }
  class Changing extends Request {
    clone() {
      return new Request(EVIL);
    }
    get headers() {
      return new Headers();
    }
  }
  const { session, given } = await app(t);
  await session.fetch(new Lying(EVIL));
  assert.equal(given.at(-1).token, null);
  await session.fetch(new Changing("https://app.test/a", { headers: { "X-A": "1" } }));
  const { address, token, input } = given.at(-1);
  assert.deepEqual([address, input.headers.get("X-A")], ["https://app.test/a", "1"]);
  assert.match(token, /^Bearer /);
  const own = new Changing("https://app.test/a", { headers: { authorization: "Basic a" } });
  await session.fetch(own);
  assert.equal(given.at(-1).input, own, "passed on as it is");
});

test("each field of an init and each header is read once", async (t) => {
  const { w, session, given } = await app(t);
  w.current = undefined;
  const reads = [];
  const once = (fields) => {
    const made = {};
    for (const [name, value] of Object.entries(fields)) {
      const get = () => (reads.push(name), value);
      Object.defineProperty(made, name, { get, enumerable: true });
    }
    return made;
  };
  const headers = once({ "X-A": "1", "X-B": "2" });
  class Init {
    get method() {
      return (reads.push("method of a class"), "PUT");
    }
  }
  await session.fetch("/a", once({ method: "POST", body: "text", headers }));
  await session.fetch("/a", new Init());
  assert.deepEqual(reads, ["method", "body", "headers", "X-A", "X-B", "method of a class"]);
  assert.deepEqual(given.map(({ init }) => init.method), ["POST", "POST", "PUT"]);
});

const plain = { "Content-Type": "text/plain" };
for (const [name, headers] of [
  ["plain headers", Object.freeze(plain)],
  ["Headers", new Headers(plain)],
  ["a list of headers", Object.freeze([Object.freeze(["Content-Type", "text/plain"])])],
  ["headers without a prototype", Object.freeze(Object.assign(Object.create(null), plain))],
]) {
  test(`${name} of the caller's are not changed, nor what was sent with them`, async (t) => {
    const { w, session, given } = await app(t);
    const old = w.current;
    w.current = undefined;
    await session.fetch("/a", Object.freeze({ method: "POST", headers, body: "a" }));
    const sent = given.map(({ init }) => new Headers(init.headers));
    assert.deepEqual(sent.map((each) => [...each]), [
      [["authorization", `Bearer ${old}`], ["content-type", "text/plain"]],
      [["authorization", `Bearer ${w.current}`], ["content-type", "text/plain"]],
    ]);
    assert.deepEqual([...new Headers(headers)], [["content-type", "text/plain"]]);
  });
}

test("an Authorization in any spelling and any kind of headers wins", async (t) => {
  const { session, given } = await app(t);
  for (const name of ["Authorization", "authorization", "AUTHORIZATION", "aUTHORIZATION"]) {
    const own = { Accept: "*/*", [name]: "Basic a" };
    const bare = Object.assign(Object.create(null), own);
    for (const headers of [own, bare, Object.entries(own), new Headers(own), new Map([[name, "Basic a"]])]) {
      const init = { headers };
      await session.fetch("/a", init);
      assert.equal(given.at(-1).token, "Basic a");
      assert.equal(given.at(-1).init, init, "the very same init");
    }
  }
});

test("headers that are no texts arrive as the platform writes them", async (t) => {
  const { session, given } = await app(t);
  await session.fetch("/a", { headers: { "X-Number": 1, "X-Null": null, "X-Text": "a" } });
  const sent = new Headers(given[0].init.headers);
  assert.deepEqual(["X-Number", "X-Null", "X-Text"].map((name) => sent.get(name)), ["1", "null", "a"]);
  assert.match(sent.get("authorization"), /^Bearer /);
});

test("what fetch refuses to read is refused by a rejection", async (t) => {
  const { session, given } = await app(t);
  const broken = { toString: () => { throw new RangeError("broken"); } };
  await assert.rejects(session.fetch(broken), RangeError);
  await assert.rejects(session.fetch(Symbol("a")), TypeError);
  await assert.rejects(session.fetch("/a", { headers: { "not a name": "" , n: 1 } }), TypeError);
  assert.equal(given.length, 0);
  session.dispose();
  await assert.rejects(session.fetch("/a"), { code: "ERR_DISPOSED" });
  await settle();
});
