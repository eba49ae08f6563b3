import assert from "node:assert/strict";
import { test } from "node:test";

import { API, settle, world } from "./world.mjs";

const no = (init) => () => new Response("no", { status: 401, ...init });

test("a password check that answers 401 is sent once, and costs no refresh", async (t) => {
  const w = world(t);
  await w.start();
  w.api = no();
  const init = { method: "POST", body: "wrong", everfresh: { refresh: false } };
  const response = await w.session.fetch(`${API}/password`, init);
  assert.equal(await response.text(), "no");
  assert.equal(w.sent.length, 1);
  assert.equal(w.refreshes.length, 0);
  await w.session.fetch(`${API}/other`);
  assert.equal(w.refreshes.length, 1, "of other requests it does");
});

test("a request that does not wait goes with what there is", async (t) => {
  const w = world(t);
  await w.start();
  const { current } = w;
  w.auth = () => new Promise(() => {});
  await w.advance(310, 5);
  const hasty = [
    w.session.fetch(`${API}/1`, { everfresh: { wait: false, refresh: false } }),
    w.session.fetch(`${API}/2`, { keepalive: true, everfresh: { refresh: false } }),
    w.session.fetch(new Request(`${API}/3`, { keepalive: true }), { everfresh: { refresh: false } }),
  ];
  const patient = w.session.fetch(`${API}/4`).catch(() => {});
  await settle();
  assert.deepEqual(w.sent.map(({ url }) => url.at(-1)), ["1", "2", "3"]);
  assert.deepEqual(w.sent.map(({ token }) => token), [current, current, current], "expired as it is");
  await Promise.all(hasty);
  await w.session.signOut();
  await patient;
  await w.session.fetch(`${API}/5`, { everfresh: { wait: false } });
  assert.equal(w.sent.at(-1).token, undefined, "nobody is signed in any more");
});

test("hints are the request's own, whatever every object inherits", async (t) => {
  const w = world(t);
  await w.start();
  w.current = undefined;
  Object.prototype.everfresh = { refresh: false };
  Object.prototype.refresh = false;
  t.after(() => {
    delete Object.prototype.everfresh;
    delete Object.prototype.refresh;
  });
  const response = await w.session.fetch(API, { headers: {} });
  assert.equal(response.status, 200, "healed");
});

test("an endpoint that always answers 401 costs one refresh, however often it is asked", async (t) => {
  const w = world(t, { jitterSeconds: 0 });
  w.lifetime = 3_600;
  await w.start();
  w.api = no();
  for (let i = 0; i < 120; i += 1) {
    assert.equal((await w.session.fetch(`${API}/never?${i}`)).status, 401);
    await w.advance(5, 5);
  }
  assert.equal(w.refreshes.length, 1);
  assert.equal(w.sent.length, 121);
});

test("two of them cost two, and another path is healed as ever", async (t) => {
  const w = world(t);
  w.lifetime = 3_600;
  await w.start();
  const { api } = w;
  w.api = no();
  for (let i = 0; i < 60; i += 1) {
    await w.session.fetch(`${API}/${i % 2}`);
    await w.advance(5, 5);
  }
  assert.equal(w.refreshes.length, 2);
  w.api = api;
  w.current = undefined;
  assert.equal((await w.session.fetch(`${API}/other`)).status, 200);
  assert.equal(w.refreshes.length, 3);
});

test("another token is another chance", async (t) => {
  const w = world(t);
  await w.start();
  w.api = no();
  await w.session.fetch(`${API}/a`);
  await w.session.fetch(`${API}/a`);
  assert.equal(w.refreshes.length, 1);
  await w.session.refresh();
  await w.session.fetch(`${API}/a`);
  assert.equal(w.refreshes.length, 3);
});

test("more rights are not got by a refresh", async (t) => {
  const w = world(t);
  await w.start();
  for (const error of ["insufficient_scope", "insufficient_user_authentication"]) {
    w.api = no({ headers: { "WWW-Authenticate": `Bearer error="${error}"` } });
    assert.equal((await w.session.fetch(`${API}/${error}`)).status, 401);
  }
  assert.equal(w.refreshes.length, 0);
  w.api = no({ headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' } });
  await w.session.fetch(`${API}/a`);
  assert.equal(w.refreshes.length, 1);
});
