import assert from "node:assert/strict";
import { test } from "node:test";

import { createTestKit } from "everfresh/testing";

import { API, jwt, settle, TOKEN_URL, world } from "./world.mjs";

const now = () => Math.floor(Date.now() / 1_000);
const tokens = (sub, more = {}) => ({
  accessToken: jwt({ sub, iat: now(), exp: now() + 300, ...more }),
  refreshToken: `refresh-of-${sub}`,
});
const who = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url")).sub;
const users = ({ sent }) => sent.map(({ token }) => (token ? who(token) : null));
const stream = () => ({
  method: "POST",
  duplex: "half",
  body: new ReadableStream({ start: (controller) => controller.close() }),
});

test("a caller joins no wait that was another user's", async (t) => {
  const w = world(t);
  w.api = () => new Response("data");
  const { session } = w;
  session.start(tokens("ana"));
  const anas = session.getAccessToken({ minValiditySeconds: 30 });
  session.start(tokens("bob"));
  assert.equal(who(await session.getAccessToken({ minValiditySeconds: 30 })), "bob");
  assert.equal(who(await anas), "ana");

  session.start(tokens("ana"));
  void session.fetch(`${API}/anas`, stream());
  session.start(tokens("bob"));
  await session.fetch(`${API}/bobs`, stream());
  assert.deepEqual(users(w), [null, "bob"], "ana's goes out after her session");
});

test("a caller joins no wait that has ended", async (t) => {
  const w = world(t);
  const { session } = w;
  await w.start();
  w.auth = () => new Promise(() => {});
  w.t.mock.timers.setTime(Date.now() + 400_000);
  void session.fetch(`${API}/1`);
  await settle();
  session.cancel();
  w.auth = () => Response.json(w.issue());
  session.start({ refreshToken: "refresh-of-bob" });
  await session.fetch(`${API}/2`);
  assert.ok(users(w)[1], "it waits for a token of its own");
});

test("what does not wait carries no token of the user before", async (t) => {
  const w = world(t);
  w.api = () => new Response("data");
  w.auth = () => new Promise(() => {});
  for (const later of [{ refreshToken: "refresh-of-bob" }, tokens("bob", { nbf: now() + 40 })]) {
    w.session.start(tokens("ana"));
    w.session.start(later);
    await w.session.fetch(API, { method: "POST", body: "of bob", keepalive: true });
    await w.session.fetch(API, { everfresh: { wait: false } });
  }
  assert.deepEqual(users(w), [null, null, null, null]);
});

test("a request that waited goes without the token of a session that has ended since", async (t) => {
  const w = world(t);
  await w.start();
  w.session.on("refreshed", () => void w.session.signOut());
  w.t.mock.timers.setTime(Date.now() + 400_000);
  const authorization = w.session.authorize(API);
  await w.session.fetch(API, { method: "POST", body: "late" });
  assert.equal(await authorization, null);
  assert.equal(w.session.snapshot.status, "signed-out");
  assert.deepEqual(users(w), [null]);
});

test("style cookies: a request that waited for one user does not go with the cookies of the next", async (t) => {
  const w = world(t, { refresh: { url: TOKEN_URL, style: "cookies" } });
  w.api = () => new Response("data");
  w.auth = () => new Promise(() => {});
  w.session.start({ expiresIn: 300 });
  w.t.mock.timers.setTime(Date.now() + 400_000);
  const anas = w.session.fetch(API, { method: "POST", body: "ana's" });
  await settle();
  w.session.start({ expiresIn: 300 });
  await anas;
  await w.session.fetch(API);
  assert.deepEqual(w.sent.map(({ init }) => init.credentials), ["omit", "include"]);
});

test("style cookies: a tab whose user gave way to another sends nothing with cookies until it has that user", async (t) => {
  const kit = createTestKit({ style: "cookies" });
  t.after(() => kit.reset());
  const { server, session, tabs } = kit;
  session.start(server.signIn("ana"));
  const { session: other } = tabs.open();
  await kit.settle();
  other.start(server.signIn("bob"));
  await kit.settle();
  assert.equal(session.snapshot.reason, "subject-changed");
  assert.equal((await session.fetch("/api/me")).status, 401);
  await session.restore();
  assert.equal((await (await session.fetch("/api/me")).json()).sub, "bob");
});
