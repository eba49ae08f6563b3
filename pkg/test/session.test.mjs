import assert from "node:assert/strict";
import { test } from "node:test";

import { createSession } from "../dist/inline.js";
import { API, settle, world } from "./world.mjs";

test("a token is refreshed before it expires, once a lifetime", async (t) => {
  const w = world(t);
  await w.start();
  await w.advance(3_000, 5);
  assert.equal(w.refreshes.length, 12);
  assert.deepEqual(new Set(w.told), new Set(["started", "storage-degraded", "refreshed"]));
  assert.equal(w.session.snapshot.generation, 13);
  assert.equal(w.session.stats.refreshes.scheduled, 12);
  assert.equal(w.session.stats.outcomes.committed, 12);
});

test("other claims are told once, and are there to be seen by then; other times are not", async (t) => {
  const w = world(t);
  await w.start();
  const seen = [];
  w.session.on("claims-changed", (event) => {
    assert.ok(Object.isFrozen(event));
    seen.push([event, w.session.snapshot.claims.role]);
  });
  w.auth = () => Response.json(w.issue({ role: "editor" }));
  const at = Date.now();
  await w.session.refresh();
  assert.deepEqual(seen, [[{ type: "claims-changed", at }, "editor"]]);
  await w.advance(10);
  await w.session.refresh();
  assert.deepEqual(w.told.filter((type) => /^(refreshed|claims)/.test(type)), [
    "refreshed", "claims-changed", "refreshed",
  ]);
});

test("a lifetime of forty days is waited for in steps", async (t) => {
  const w = world(t);
  w.lifetime = 40 * 86_400;
  await w.start();
  await w.advance(39 * 86_400, 86_400);
  assert.equal(w.refreshes.length, 0);
  await w.advance(86_400, 3_600);
  assert.equal(w.refreshes.length, 1);
});

test("cancel during a refresh leaves no token, no timer and no late commit", async (t) => {
  const w = world(t);
  await w.start();
  let answer;
  w.auth = () => new Promise((resolve) => { answer = () => resolve(Response.json(w.issue())); });
  const refresh = assert.rejects(w.session.refresh(), { code: "ERR_NOT_SIGNED_IN" });
  await settle();
  w.session.cancel();
  assert.equal(w.refreshes[0].init.signal.aborted, true);
  assert.deepEqual([w.session.snapshot.status, w.session.snapshot.reason], ["signed-out", "cancelled"]);
  answer();
  await refresh;
  await w.advance(3_600, 60);
  assert.equal(w.session.snapshot.status, "signed-out");
  assert.equal(w.refreshes.length, 1);
  await assert.rejects(w.session.refresh(), { code: "ERR_NOT_SIGNED_IN" });
});

test("an old cancel never stops a newer start", async (t) => {
  const w = world(t);
  const first = await w.start();
  const second = await w.start();
  first();
  assert.equal(w.session.snapshot.status, "active");
  second();
  second();
  assert.equal(w.session.snapshot.reason, "cancelled");
});

test("the same token again changes nothing", async (t) => {
  const w = world(t);
  const tokens = w.issue();
  w.session.start(tokens);
  const { snapshot } = w.session;
  w.session.start(tokens);
  assert.equal(w.session.snapshot, snapshot);
  assert.equal(w.told.filter((type) => type === "started").length, 1);
});

test("the snapshot is frozen, and the same object until something changes", async (t) => {
  const w = world(t);
  await w.start();
  const { snapshot } = w.session;
  let told = 0;
  w.session.subscribe(() => { told += 1; });
  await w.session.fetch(API);
  await w.session.getAccessToken();
  await w.advance(100, 5);
  assert.equal(w.session.snapshot, snapshot);
  assert.equal(told, 0);
  assert.ok(Object.isFrozen(snapshot) && Object.isFrozen(snapshot.claims));
  await w.session.refresh();
  assert.notEqual(w.session.snapshot, snapshot);
  assert.ok(told > 0);
});

test("nobody is told of what did not change", (t) => {
  const { session } = world(t);
  let told = 0;
  session.subscribe(() => { told += 1; });
  const { snapshot } = session;
  session.hold()();
  assert.equal(session.snapshot, snapshot);
  assert.equal(told, 0);
});

test("methods work without the session before their dot", async (t) => {
  const w = world(t);
  const { start, getAccessToken, subscribe } = w.session;
  let told = 0;
  subscribe(() => { told += 1; });
  start(w.issue());
  assert.equal(await getAccessToken(), w.current);
  assert.ok(told > 0);
});

test("listeners may throw, leave, re-enter and dispose", async (t) => {
  const w = world(t);
  const order = [];
  w.session.on("started", () => { throw new Error("listener bug"); });
  w.session.on("started", () => {
    order.push("started 1");
    w.session.cancel();
    order.push(w.session.snapshot.status);
  });
  w.session.on("started", () => order.push("started 2"));
  w.session.on("signed-out", () => { order.push("signed-out"); w.session.dispose(); });
  w.session.on("signed-out", () => order.push("never: disposed"));
  await w.start();
  assert.deepEqual(order, ["started 1", "signed-out", "started 2", "signed-out"]);
  assert.ok(w.logged.some(({ level, message }) => level === "error" && message.includes("listener")));
});

test("a listener that was removed is not called any more", async (t) => {
  const w = world(t);
  const off = w.session.on("started", () => assert.fail());
  off();
  off();
  await w.start();
});

test("dispose settles everything and refuses what comes later", async (t) => {
  const w = world(t);
  await w.start();
  w.auth = () => new Promise(() => {});
  const pending = [
    w.session.refresh(),
    w.session.getAccessToken({ minValiditySeconds: 500 }),
  ];
  const outcomes = Promise.allSettled(pending);
  await settle();
  w.session.dispose();
  w.session.dispose();
  for (const { reason } of await outcomes) assert.equal(reason.code, "ERR_DISPOSED");
  for (const call of [
    () => w.session.start("x"),
    () => w.session.cancel(),
    () => w.session.touch(),
    () => w.session.hold(),
    () => w.session.subscribe(() => {}),
    () => w.session.on("started", () => {}),
  ]) {
    assert.throws(call, { code: "ERR_DISPOSED" });
  }
  for (const call of ["fetch", "restore", "refresh", "signOut", "getAccessToken"]) {
    await assert.rejects(w.session[call](API), { code: "ERR_DISPOSED" });
  }
  await w.advance(3_600, 60);
  assert.equal(w.refreshes.length, 1);
});

test("handles of one name share one session until the last is disposed", async (t) => {
  const w = world(t);
  await w.start();
  const second = createSession(w.options);
  assert.equal(second.snapshot, w.session.snapshot);
  assert.ok(!w.logged.some(({ message }) => message.includes("newer options")));
  w.session.dispose();
  assert.equal(second.snapshot.status, "active");
  assert.equal((await second.fetch(API)).status, 200);
  second.dispose();
  const third = createSession(w.options);
  assert.equal(third.snapshot.status, "unknown");
  third.dispose();
});

test("newer options win, with a warning", async (t) => {
  const w = world(t);
  await w.start();
  const second = createSession({ ...w.options, leadSeconds: 100 });
  t.after(() => second.dispose());
  assert.ok(w.logged.some(({ level, message }) => level === "warn" && message.includes("newer options")));
  await second.refresh();
  assert.equal(second.snapshot.refreshAt, Date.now() + 200_000);
});

test("names are isolated", async (t) => {
  const w = world(t);
  await w.start();
  const other = createSession({ ...w.options, name: "someone else" });
  t.after(() => other.dispose());
  assert.equal(other.snapshot.status, "unknown");
  await assert.rejects(other.getAccessToken(), { code: "ERR_NOT_SIGNED_IN" });
});

test("getAccessToken asks for what is missing only", async (t) => {
  const w = world(t);
  await w.start();
  const first = await w.session.getAccessToken();
  assert.equal(await w.session.getAccessToken({ minValiditySeconds: 200 }), first);
  assert.equal(w.refreshes.length, 0);
  await w.advance(150, 5);
  assert.notEqual(await w.session.getAccessToken({ minValiditySeconds: 200 }), first);
  assert.equal(w.refreshes.length, 1);
  await assert.rejects(w.session.getAccessToken({ minValiditySeconds: -1 }), { code: "ERR_INVALID_OPTION" });
  await assert.rejects(w.session.getAccessToken({ signal: AbortSignal.abort() }), { name: "AbortError" });
});

test("an idle session lapses: no refresh after the limit, an end when the token runs out", async (t) => {
  const w = world(t, { idleSeconds: 600, warnSeconds: 60 });
  await w.start();
  await w.advance(1_000, 5);
  const { status, reason } = w.session.snapshot;
  assert.deepEqual([status, reason], ["signed-out", "idle"]);
  const ends = w.events.filter(({ type }) => type === "signed-out");
  assert.equal(ends.length, 1);
  assert.equal(w.events.filter(({ type }) => type === "warning").length, 1);
  assert.ok(w.refreshes.length <= 2);
});

test("touch and hold keep a session from idling", async (t) => {
  const w = world(t, { idleSeconds: 300, warnSeconds: 60, idleMode: "end" });
  await w.start();
  await w.advance(250, 5);
  assert.equal(w.session.snapshot.status, "warning");
  assert.ok(w.session.snapshot.secondsLeft <= 60);
  w.session.touch();
  assert.equal(w.session.snapshot.status, "active");
  assert.ok(w.told.includes("extended"));
  const release = w.session.hold();
  await w.advance(1_000, 5);
  assert.equal(w.session.snapshot.status, "active");
  release();
  release();
  await w.advance(310, 5);
  assert.equal(w.session.snapshot.reason, "idle");
});

test("restore without anything stored is simply not signed in", async (t) => {
  const w = world(t);
  const restoring = w.session.restore();
  await w.advance(5);
  const { status, reason } = await restoring;
  assert.deepEqual([status, reason], ["signed-out", "none"]);
  assert.ok(!w.told.includes("signed-out"));
});

test("tokens appear in no event, error, log line or snapshot", async (t) => {
  const w = world(t);
  await w.start();
  await w.session.refresh();
  w.auth = () => Response.json({ error: "invalid_grant" }, { status: 400 });
  const error = await w.session.refresh().catch((refused) => refused);
  const text = JSON.stringify([w.events, w.logged, w.session.snapshot, error, error.message]);
  assert.doesNotMatch(text, /refresh-\d|(?<![\w-])eyJ/);
});
