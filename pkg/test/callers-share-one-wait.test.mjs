import assert from "node:assert/strict";
import { test } from "node:test";

import { createSession } from "../dist/inline.js";
import { API, settle, world } from "./world.mjs";

/** The token endpoint answers when told to. */
function held(w) {
  let answer;
  w.auth = () => new Promise((resolve) => {
    answer = () => resolve(Response.json(w.issue()));
  });
  return () => answer();
}

/** As after sleep: the token ran out, and no timer has fired yet. */
const expire = (w) => w.t.mock.timers.setTime(Date.now() + 400_000);

const ways = {
  "after a 401": (w) => (w.current = undefined),
  "for a token": expire,
};

for (const [name, begin] of Object.entries(ways)) {
  test(`a caller that gives up waiting ${name} leaves the others waiting`, async (t) => {
    const w = world(t);
    await w.start();
    const answer = held(w);
    begin(w);
    const impatient = [new AbortController(), new AbortController()];
    const calls = [
      w.session.fetch(`${API}/1`, { signal: impatient[0].signal }),
      w.session.fetch(`${API}/2`, { signal: new AbortController().signal }),
      w.session.fetch(new Request(`${API}/3`, { signal: impatient[1].signal })),
      w.session.fetch(`${API}/4`),
    ];
    await settle();
    impatient[0].abort(new Error("enough"));
    impatient[1].abort();
    await assert.rejects(calls[0], { message: "enough" });
    await assert.rejects(calls[2], { name: "AbortError" });
    answer();
    assert.deepEqual([(await calls[1]).status, (await calls[3]).status], [200, 200]);
    assert.equal(w.refreshes.length, 1);
  });

  test(`once all have given up waiting ${name} the next caller waits anew`, async (t) => {
    const w = world(t);
    await w.start();
    const answer = held(w);
    begin(w);
    const impatient = new AbortController();
    const { signal } = impatient;
    const calls = [w.session.fetch(`${API}/1`, { signal }), w.session.fetch(`${API}/2`, { signal })];
    await settle();
    impatient.abort(new Error("enough"));
    const next = w.session.fetch(`${API}/3`);
    for (const call of calls) await assert.rejects(call, { message: "enough" });
    await settle();
    answer();
    assert.equal((await next).status, 200);
    assert.equal(w.refreshes.length, 1);
  });

  test(`disposing of a handle rejects its calls that wait ${name}, and no others`, async (t) => {
    const w = world(t);
    await w.start();
    const other = createSession(w.options);
    t.after(() => other.dispose());
    const answer = held(w);
    begin(w);
    const ours = [w.session.fetch(`${API}/1`), w.session.fetch(`${API}/2`)];
    const theirs = [other.fetch(`${API}/3`), other.fetch(`${API}/4`)];
    const outcomes = Promise.allSettled(ours);
    await settle();
    w.session.dispose();
    for (const { reason } of await outcomes) assert.equal(reason?.code, "ERR_DISPOSED");
    answer();
    for (const call of theirs) assert.equal((await call).status, 200);
  });
}

test("callers that come later wait as long as the first", async (t) => {
  const w = world(t, { waitSeconds: 20 });
  await w.start();
  w.auth = () => Promise.reject(new TypeError("offline"));
  await w.advance(310, 5);
  const ended = [];
  const call = (name) => w.session.fetch(API).catch(() => ended.push([name, Date.now()]));
  const begun = Date.now();
  call("first");
  await w.advance(10);
  call("second");
  await w.advance(25);
  const waited = ended.map(([name, at]) => [name, Math.round((at - begun) / 1_000)]);
  assert.deepEqual(waited, [["first", 20], ["second", 30]]);
});

test("a token that must be good for longer is waited for on its own", async (t) => {
  const w = world(t);
  await w.start();
  const answer = held(w);
  expire(w);
  const calls = [
    w.session.fetch(API),
    w.session.getAccessToken({ minValiditySeconds: 60 }),
    w.session.getAccessToken(),
  ];
  await settle();
  answer();
  const [response, long, short] = await Promise.all(calls);
  assert.deepEqual([response.status, long, short], [200, w.current, w.current]);
  assert.equal(w.session.stats.requests.waited, 3);
  assert.equal(w.refreshes.length, 1);
});

/** A 401 with a body that tells when it is let go of. */
function refusal(released) {
  const body = new ReadableStream({ cancel: () => void released.push(true) });
  return new Response(body, { status: 401 });
}

test("the bodies of 401s that are sent again are let go of", async (t) => {
  const w = world(t);
  await w.start();
  w.current = undefined;
  const released = [];
  w.api = ({ token }) => (token === w.current ? new Response("data") : refusal(released));
  await Promise.all(Array.from({ length: 10 }, () => w.session.fetch(API)));
  assert.equal(released.length, 10);
});

test("the body of a 401 whose caller is gone is let go of, and no other", async (t) => {
  const w = world(t);
  await w.start();
  held(w);
  const released = [];
  w.api = () => refusal(released);
  const impatient = new AbortController();
  const call = w.session.fetch(API, { signal: impatient.signal });
  await settle();
  impatient.abort();
  await assert.rejects(call);
  assert.equal(released.length, 1);
});

test("the body of a 401 that the caller gets is left alone", async (t) => {
  const w = world(t);
  await w.start();
  const released = [];
  w.auth = () => new Response(null, { status: 503 });
  w.api = () => refusal(released);
  const response = await w.session.fetch(API);
  assert.deepEqual([response.status, response.bodyUsed, released.length], [401, false, 0]);
});
