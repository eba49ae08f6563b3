import assert from "node:assert/strict";
import { test } from "node:test";

import { API, settle, world } from "./world.mjs";

test("authorize gives the value for allowed addresses while somebody is signed in", async (t) => {
  const w = world(t);
  assert.equal(await w.session.authorize(API), null, "nobody yet");
  await w.start();
  assert.equal(await w.session.authorize(`${API}/a`), `Bearer ${w.current}`);
  assert.equal(await w.session.authorize(new URL(API)), `Bearer ${w.current}`);
  for (const other of ["https://evil.test/", "/relative", "https://a:b@api.test/", "wss://api.test/"]) {
    assert.equal(await w.session.authorize(other), null, other);
    assert.equal(await w.session.reauthorize(other, `Bearer ${w.current}`), null, other);
  }
  await w.session.signOut();
  assert.equal(await w.session.authorize(API), null);
});

test("authorize waits for a refresh of a token that has run out", async (t) => {
  const w = world(t, { waitSeconds: 120 });
  w.auth = () => new Response(null, { status: 503 });
  await w.start();
  await w.advance(310, 5);
  const waits = w.session.authorize(API);
  w.auth = () => Response.json(w.issue());
  await w.advance(120, 5);
  assert.equal(await waits, `Bearer ${w.current}`);
});

test("a thousand 401s of another transport share one refresh", async (t) => {
  const w = world(t);
  await w.start();
  const sent = await w.session.authorize(API);
  const ask = () => w.session.reauthorize(API, sent);
  const values = await Promise.all(Array.from({ length: 1_000 }, ask));
  assert.deepEqual(new Set(values), new Set([`Bearer ${w.current}`]));
  assert.equal(await ask(), `Bearer ${w.current}`, "a late one gets the newer");
  assert.equal(w.refreshes.length, 1);
  assert.equal(await w.session.reauthorize(API, values[0]), null, "which is refused there too");
  assert.equal(w.refreshes.length, 1);
});

test("a 401 is handed on when no newer token can be had", async (t) => {
  const w = world(t);
  await w.start();
  const sent = await w.session.authorize(API);
  w.auth = () => new Response(null, { status: 503 });
  assert.equal(await w.session.reauthorize(API, sent), null);
  assert.equal(await w.session.reauthorize(API, "Bearer of-somebody-else"), null);
  w.auth = () => Response.json({ error: "invalid_grant" }, { status: 400 });
  await w.advance(60);
  assert.equal(await w.session.reauthorize(API, sent), null, "and the session is over");
});

test("a request of one user never gets the token of the next", async (t) => {
  const w = world(t);
  await w.start();
  const sent = await w.session.authorize(API);
  w.session.start(w.issue({ sub: "bob" }));
  await settle();
  assert.equal(await w.session.reauthorize(API, sent), null);
  assert.equal(w.refreshes.length, 0);
});

test("after dispose both reject", async (t) => {
  const w = world(t);
  await w.start();
  w.session.dispose();
  await assert.rejects(w.session.authorize(API), { code: "ERR_DISPOSED" });
  await assert.rejects(w.session.reauthorize(API, "Bearer a"), { code: "ERR_DISPOSED" });
});
