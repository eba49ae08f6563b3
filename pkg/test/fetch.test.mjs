import assert from "node:assert/strict";
import { test } from "node:test";

import { put } from "./page.mjs";
import { API, jwt, settle, TOKEN_URL, world } from "./world.mjs";

test("a valid token is sent at once and the response handed over unread", async (t) => {
  const w = world(t);
  await w.start();
  const response = await w.session.fetch(`${API}/orders`);
  assert.equal(response.bodyUsed, false);
  assert.equal(await response.text(), "data");
  assert.equal(w.sent[0].token, w.current);
  assert.deepEqual(w.session.stats.requests, { sent: 1, resent: 0, waited: 0, passed: 0 });
});

test("other origins are passed through untouched, without a refresh on their 401", async (t) => {
  const w = world(t);
  await w.start();
  w.api = () => new Response(null, { status: 401 });
  const others = [
    "https://api.test.evil.test/",
    "https://api.test:8443/",
    "http://api.test/",
    "https://sub.api.test/",
    "https://evil.test/https://api.test/",
    "https://evil.test\\@api.test/",
    new URL("https://evil.test/#https://api.test"),
    new Request("https://evil.test/?https://api.test"),
  ];
  for (const other of others) {
    assert.equal((await w.session.fetch(other)).status, 401);
    assert.equal(w.sent.at(-1).token, undefined, String(other));
  }
  const init = { headers: { "X-A": "1" } };
  await w.session.fetch("https://evil.test/", init);
  assert.equal(w.sent.at(-1).init, init, "the very same init");
  assert.equal(w.refreshes.length, 0);
  assert.equal(w.session.stats.requests.passed, others.length + 1);
});

test("blob, data and credentialed URLs never get a token", async (t) => {
  const seen = [];
  const fetch = async (input, init) => {
    seen.push(new Headers(init?.headers).get("authorization"));
    return new Response();
  };
  const w = world(t, { fetch });
  await w.start();
  for (const url of [`blob:${API}/1`, "data:,x", "https://a:b@api.test/", "//api.test/", "/x"]) {
    await w.session.fetch(url);
  }
  assert.deepEqual(seen, [null, null, null, null, null]);
});

test("a caller's own Authorization wins", async (t) => {
  const w = world(t);
  await w.start();
  const headers = { authorization: "Basic abc" };
  assert.equal((await w.session.fetch(API, { headers })).status, 401);
  await w.session.fetch(new Request(API, { headers }));
  assert.deepEqual(w.sent.map((sent) => sent.headers.get("authorization")), ["Basic abc", "Basic abc"]);
  assert.equal(w.refreshes.length, 0);
});

test("a 401 is healed by one refresh and one resend", async (t) => {
  const w = world(t);
  await w.start();
  w.current = undefined; // revoked at the server
  assert.equal((await w.session.fetch(`${API}/a`)).status, 200);
  assert.equal(w.refreshes.length, 1);
  assert.equal(w.sent.length, 2);
  assert.notEqual(w.sent[0].token, w.sent[1].token);
  assert.equal(w.session.stats.refreshes.unauthorized, 1);
});

test("a thousand concurrent 401s make one refresh", async (t) => {
  const w = world(t);
  await w.start();
  w.current = undefined;
  const calls = Array.from({ length: 1_000 }, (_, i) => w.session.fetch(`${API}/${i}`));
  const responses = await Promise.all(calls);
  assert.ok(responses.every((response) => response.status === 200));
  assert.equal(w.refreshes.length, 1);
  assert.equal(w.sent.length, 2_000);
});

test("an endpoint that always answers 401 gets two requests and one refresh", async (t) => {
  const w = world(t);
  await w.start();
  w.api = () => new Response("no", { status: 401 });
  const response = await w.session.fetch(API);
  assert.equal(response.status, 401);
  assert.equal(await response.text(), "no");
  assert.equal(w.sent.length, 2);
  assert.equal(w.refreshes.length, 1);
  assert.equal(w.session.snapshot.status, "active");
});

test("a late 401 of an old token is sent again with the new one, without a refresh", async (t) => {
  const w = world(t);
  await w.start();
  let answer;
  const { api } = w;
  w.api = () => new Promise((resolve) => { answer = resolve; });
  const late = w.session.fetch(`${API}/late`);
  await settle();
  await w.session.refresh();
  w.api = api;
  answer(new Response(null, { status: 401 }));
  assert.equal((await late).status, 200);
  assert.equal(w.refreshes.length, 1);
});

test("an expired token is refreshed before anything is sent", async (t) => {
  const w = world(t, { waitSeconds: 120 });
  w.auth = () => new Response(null, { status: 503 });
  await w.start();
  await w.advance(310, 5);
  assert.equal(w.session.snapshot.status, "stale");
  w.auth = () => Response.json(w.issue());
  const call = w.session.fetch(`${API}/a`);
  await w.advance(120, 5);
  assert.equal((await call).status, 200);
  assert.equal(w.sent.length, 1);
});

test("no token in time rejects with ERR_REFRESH_UNAVAILABLE, each waiter once", async (t) => {
  const w = world(t, { waitSeconds: 20 });
  await w.start();
  w.auth = () => Promise.reject(new TypeError("offline"));
  await w.advance(310, 5);
  const calls = Array.from({ length: 5 }, () => w.session.fetch(API));
  calls.push(w.session.getAccessToken());
  const outcomes = Promise.allSettled(calls);
  await w.advance(30);
  for (const outcome of await outcomes) {
    assert.equal(outcome.reason?.code, "ERR_REFRESH_UNAVAILABLE");
    assert.equal(outcome.reason.retryable, true);
  }
  assert.equal(w.sent.length, 0);
  assert.equal(w.session.snapshot.status, "stale");
});

test("a refresh that fails for now leaves the caller the original 401", async (t) => {
  const w = world(t);
  await w.start();
  w.current = undefined;
  w.auth = () => new Response(null, { status: 503 });
  const response = await w.session.fetch(API);
  assert.equal(response.status, 401);
  assert.equal(await response.text(), "data");
  assert.equal(w.session.snapshot.status, "active");
});

test("a refresh that is refused for good leaves the 401 and ends the session", async (t) => {
  const w = world(t);
  await w.start();
  w.current = undefined;
  w.auth = () => Response.json({ error: "invalid_grant" }, { status: 400 });
  assert.equal((await w.session.fetch(API)).status, 401);
  assert.equal(w.session.snapshot.status, "signed-out");
  assert.equal(w.session.snapshot.reason, "revoked");
  assert.equal((await w.session.fetch(API)).status, 401, "sent without a token");
  assert.equal(w.sent.at(-1).token, undefined);
  assert.equal(w.refreshes.length, 1, "a latch");
  await assert.rejects(w.session.getAccessToken(), { code: "ERR_NOT_SIGNED_IN" });
});

test("before start and after sign-out requests go without a token", async (t) => {
  const w = world(t);
  w.api = ({ token }) => new Response(token ?? "anonymous");
  assert.equal(await (await w.session.fetch(API)).text(), "anonymous");
  await w.start();
  await w.session.signOut();
  assert.equal(await (await w.session.fetch(API)).text(), "anonymous");
});

test("the caller's signal aborts the caller alone", async (t) => {
  const w = world(t);
  await w.start();
  w.current = undefined;
  let answer;
  w.auth = () => new Promise((resolve) => { answer = () => resolve(Response.json(w.issue())); });
  const impatient = new AbortController();
  const calls = [
    w.session.fetch(`${API}/1`, { signal: impatient.signal }),
    w.session.fetch(`${API}/2`),
  ];
  await settle();
  impatient.abort(new Error("enough"));
  await assert.rejects(calls[0], { message: "enough" });
  assert.equal(w.refreshes[0].init.signal.aborted, false);
  answer();
  assert.equal((await calls[1]).status, 200);
});

test("isUnauthorized decides, may be asynchronous and may throw", async (t) => {
  const isUnauthorized = async (response) => {
    if (response.headers.has("x-throw")) throw new Error("bug");
    return (await response.clone().json()).error === "expired";
  };
  const w = world(t, { isUnauthorized });
  await w.start();
  const { current } = w;
  w.api = ({ token }) => Response.json({ error: token === current ? "expired" : null });
  assert.deepEqual(await (await w.session.fetch(API)).json(), { error: null });
  assert.equal(w.refreshes.length, 1);
  w.api = () => new Response("as it is", { headers: { "x-throw": "1" } });
  assert.equal(await (await w.session.fetch(API)).text(), "as it is");
  assert.equal(w.logged.at(-1).level, "error");
});

test("a token in the renewal header is adopted; a bad one is not", async (t) => {
  const w = world(t, { renewalHeader: "X-JWT" });
  await w.start();
  const exp = Date.now() / 1_000 + 600;
  const renewed = jwt({ sub: "ana", exp, iat: exp - 600 });
  w.api = () => new Response(null, { headers: { "X-JWT": `Bearer ${renewed}` } });
  await w.session.fetch(API);
  assert.equal(await w.session.getAccessToken(), renewed);
  w.api = () => new Response(null, { headers: { "X-JWT": "garbage" } });
  assert.equal((await w.session.fetch(API)).status, 200);
  assert.equal(await w.session.getAccessToken(), renewed);
  assert.equal(w.refreshes.length, 0);
});

test("a token from where a redirect led is not adopted", async (t) => {
  const w = world(t, { renewalHeader: "X-JWT" });
  await w.start();
  const before = await w.session.getAccessToken();
  const exp = Date.now() / 1_000 + 6_000;
  const forged = jwt({ sub: "ana", exp, iat: exp - 6_000 });
  w.api = () => {
    const response = new Response(null, { headers: { "X-JWT": forged } });
    return Object.defineProperty(response, "url", { value: "https://evil.test/" });
  };
  await w.session.fetch(API);
  assert.equal(await w.session.getAccessToken(), before);
});

for (const [origin, gets] of [[API, true], ["null", false]]) {
  test(`a frame without an address has the origin of its maker: ${origin}`, async (t) => {
    put(t, { location: { origin: "null", href: "about:srcdoc" }, origin });
    const w = world(t, { origins: undefined });
    await w.start();
    await w.session.fetch(API);
    assert.equal(w.sent[0].token === w.current, gets);
  });
}

test("without a page and without origins a warning says so once", async (t) => {
  const w = world(t, { origins: undefined });
  await w.start();
  await w.session.fetch(`${API}/1`);
  await w.session.fetch(`${API}/2`);
  assert.equal(w.sent[0].token, undefined);
  assert.equal(w.logged.filter((line) => line.message.includes("option origins")).length, 1);
});
