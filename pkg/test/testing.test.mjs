// The test kit, used as a user would.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createSession } from "everfresh";
import { createTestKit, fakeSession, installLocks, token } from "everfresh/testing";

import { put } from "./page.mjs";

/** A kit that is reset after the test. */
function kit(t, options) {
  const made = createTestKit(options);
  t.after(() => made.reset());
  return made;
}

async function signedIn(t, options) {
  const made = kit(t, options);
  made.session.start(made.server.signIn());
  await made.settle();
  return made;
}

test("sign-in over the API, then requests carry the token", async (t) => {
  const { session, server } = kit(t);
  const login = await server.fetch("/auth/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username: "ana", password: "secret" }),
  });
  session.start(await login.json());
  const response = await session.fetch("/api/me");
  assert.equal((await response.json()).sub, "ana");
  assert.equal(session.snapshot.status, "active");
  assert.equal(server.refreshes.length, 0);
});

test("tokens are refreshed while hours pass, and nobody waits for them", async (t) => {
  const { session, server, clock } = await signedIn(t, { idleSeconds: Infinity });
  const began = performance.now();
  await clock.advance(3_600);
  assert.ok(performance.now() - began < 60_000);
  assert.equal(server.refreshes.length, 15);
  assert.equal(session.snapshot.status, "active");
});

test("an idle user is warned, may stay, and is signed out", async (t) => {
  const { session, clock, tabs, server } = await signedIn(t, { idleSeconds: 600, idleMode: "end" });
  const ends = [];
  session.on("signed-out", ({ reason }) => ends.push(reason));
  await clock.advance(545);
  assert.equal(session.snapshot.status, "warning");
  assert.equal(session.snapshot.secondsLeft, 55);
  session.touch();
  await clock.advance(545);
  await tabs.all[0].input();
  assert.equal(session.snapshot.status, "active");
  await clock.advance(600);
  assert.deepEqual(ends, ["idle"]);
  assert.equal(server.calls.at(-1).path, "/oauth/revoke");
});

test("what the server refuses signs out, and what stands in the way does not", async (t) => {
  const { session, clock, server } = await signedIn(t, { idleSeconds: Infinity });
  server.next("503", "lost", "html", "429");
  await clock.advance(600);
  assert.notEqual(session.snapshot.status, "signed-out");
  server.next("refused");
  await clock.advance(600);
  assert.deepEqual([session.snapshot.status, session.snapshot.reason], ["signed-out", "revoked"]);
});

test("a server that hangs is given up on, and asked again", async (t) => {
  const { session, clock, server } = await signedIn(t);
  server.next("hang");
  const refreshed = assert.rejects(session.refresh(), { code: "ERR_REFRESH_TIMEOUT" });
  await clock.advance(11);
  await refreshed;
  await clock.advance(60);
  assert.equal(server.refreshes.length, 2);
});

test("a 401 is healed by one refresh, and one that is not is the caller's", async (t) => {
  const { session, server } = await signedIn(t);
  server.expire();
  const answers = await Promise.all([1, 2, 3].map(() => session.fetch("/api/me")));
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200]);
  assert.equal(server.refreshes.length, 1);
  server.revoke();
  assert.equal((await session.fetch("/api/me")).status, 401);
  assert.equal(session.snapshot.reason, "revoked");
});

test("tabs share one session: one refresh, one sign-out, one user", async (t) => {
  const { session, clock, tabs, server } = await signedIn(t, { idleSeconds: Infinity });
  const second = tabs.open();
  await second.session.restore();
  assert.equal(second.session.snapshot.subject, "ana");
  assert.equal(server.refreshes.length, 0);
  await clock.advance(280);
  assert.equal(server.refreshes.length, 1);
  assert.equal(second.session.snapshot.generation, session.snapshot.generation);
  await session.signOut();
  await clock.advance(1);
  assert.equal(second.session.snapshot.reason, "signed-out");
});

test("a tab that crashes in a refresh hands it on, and a frozen one catches up", async (t) => {
  const { session, clock, tabs, server } = await signedIn(t, { idleSeconds: Infinity });
  const second = tabs.open();
  await second.session.restore();
  await tabs.all[0].freeze();
  await clock.advance(280);
  assert.equal(server.refreshes.length, 1);
  await tabs.all[0].resume();
  assert.equal(session.snapshot.generation, second.session.snapshot.generation);
  server.next("hang");
  session.refresh().catch(() => {});
  await clock.advance(1);
  await tabs.all[0].crash();
  const handedOn = second.session.refresh();
  // The other's answer might still be on its way here.
  await clock.advance(1);
  await handedOn;
  assert.equal(second.session.snapshot.status, "active");
});

test("a closed browser with its tokens in storage is signed in again", async (t) => {
  const { tabs, server } = await signedIn(t, { storage: "local" });
  await tabs.all[0].close();
  const next = tabs.open();
  assert.equal((await next.session.restore()).subject, "ana");
  assert.equal(server.refreshes.length, 0);
});

test("a night's sleep ends a session that was due to end", async (t) => {
  const { session, clock, tabs } = await signedIn(t, { idleSeconds: 1800 });
  await clock.sleep(8 * 3_600);
  await tabs.all[0].input();
  assert.equal(session.snapshot.reason, "idle");
});

test("a clock that is wrong is told of, and does no harm", async (t) => {
  const { session, clock, server } = kit(t, { idleSeconds: Infinity });
  await clock.skew(3_600);
  session.start(server.signIn());
  await clock.advance(3_000);
  assert.equal(session.snapshot.status, "active");
  assert.ok(server.refreshes.length <= 15, String(server.refreshes.length));
});

const refreshedAt = {
  json: "/oauth/token",
  cookie: "/auth/refresh",
  cookies: "/auth/refresh",
  renew: "/auth/renew",
};
for (const [style, path] of Object.entries(refreshedAt)) {
  test(`style ${style}`, async (t) => {
    const { session, server, clock } = kit(t, { style, idleSeconds: Infinity });
    const login = await server.fetch("/auth/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ username: "ana", password: "secret" }),
    });
    session.start(await login.json());
    await clock.advance(600);
    assert.equal(session.snapshot.status, "active");
    assert.deepEqual([...new Set(server.refreshes.map((call) => call.path))], [path]);
    assert.ok(server.refreshes.length >= 2);
    assert.equal((await session.fetch("/api/me")).status, 200);
  });
}

for (const [style, path] of Object.entries({ oauth2: "/oauth/token", ...refreshedAt })) {
  test(`style ${style}: what server.signIn gives is refreshed`, async (t) => {
    const { session, server, clock } = await signedIn(t, { style, idleSeconds: Infinity });
    await clock.advance(600);
    assert.deepEqual([session.snapshot.status, session.snapshot.reason], ["active", null]);
    assert.deepEqual([...new Set(server.refreshes.map((call) => call.path))], [path]);
    assert.equal((await session.fetch("/api/me")).status, 200);
    assert.equal("refresh_token" in server.signIn(), /oauth2|json/.test(style));
  });
}

for (const style of ["cookie", "cookies"]) {
  test(`style ${style}: a page load after server.signIn finds the user by the cookie`, async (t) => {
    const { session, server } = kit(t, { style });
    server.signIn();
    assert.equal((await session.restore()).status, "active");
    server.revoke();
    await assert.rejects(session.refresh());
    assert.equal(session.snapshot.reason, "revoked");
  });
}

test("a fault that no refresh met fails the test", () => {
  const made = createTestKit();
  made.server.next("503", "hang");
  assert.throws(() => made.reset(), /no refresh met "503", "hang"/);
  made.reset();
});

test("what was disposed holds nothing: a kit leaves no timer of the runner behind", async (t) => {
  const set = t.mock.method(globalThis, "setTimeout");
  const { clock } = await signedIn(t);
  await clock.advance(600);
  assert.equal(set.mock.callCount(), 0);
});

test("fake timers of a runner go along with the clock", async (t) => {
  const ticked = [];
  const real = globalThis.setTimeout;
  t.after(() => (globalThis.setTimeout = real));
  const made = await signedIn(t);
  globalThis.setTimeout = Object.assign(() => assert.fail("faked"), { clock: { tick: (ms) => ticked.push(ms) } });
  await made.clock.advance(10);
  await made.session.refresh();
  assert.equal(ticked.reduce((sum, ms) => sum + ms, 0), 10_000);
  await made.clock.advance(600);
  assert.equal(made.session.snapshot.status, "active");
});

test("token makes JWTs and opaque ones", async (t) => {
  const { session, token: own, clock } = kit(t);
  const claims = JSON.parse(Buffer.from(token({ role: "ü" }, { ttl: 60 }).split(".")[1], "base64url"));
  assert.equal(claims.exp - claims.iat, 60);
  assert.equal(claims.role, "ü");
  assert.notEqual(token({}, { opaque: true }), token({}, { opaque: true }));
  session.start(own({ sub: "bob" }, { ttl: 60 }));
  assert.equal(session.snapshot.subject, "bob");
  assert.equal(session.snapshot.expiresAt, clock.now + 60_000);
});

test("handlers for Mock Service Worker answer as the server does", async (t) => {
  const { server } = kit(t);
  const handlers = server.mswHandlers({ http: { all: (path, answer) => ({ path, answer }) } });
  const { answer } = handlers.find(({ path }) => path === "*/api/*");
  const response = await answer({ request: new Request("https://api.test/api/me") });
  assert.equal(response.status, 401);
  assert.equal(server.calls.at(-1).path, "/api/me");
});

test("a fake session is a session that the test drives", async () => {
  const session = fakeSession({ status: "active", subject: "ana" });
  const seen = [];
  const stop = session.subscribe(() => seen.push(session.snapshot.status));
  session.on("signed-out", ({ reason }) => seen.push(reason));
  session.set({ status: "warning", secondsLeft: 9 });
  session.emit("signed-out", { reason: "idle" });
  await session.signOut({ everywhere: true });
  stop();
  session.start("jwt");
  assert.deepEqual(seen, ["warning", "idle", "signed-out"]);
  assert.deepEqual(session.calls, [["signOut", { everywhere: true }], ["start", "jwt"]]);
  assert.ok(Object.isFrozen(session.snapshot));
  assert.equal(await session.getAccessToken(), "fake-token");
  session.cancel();
  await assert.rejects(session.getAccessToken(), { code: "ERR_NOT_SIGNED_IN" });
  assert.equal((await session.fetch("/a")).status, 204);
});

test("with locks installed a session of one's own does not wait for time that stands still", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.UTC(2030, 0, 1) });
  t.after(installLocks());
  const session = createSession({ refresh: async () => token(), name: "own", idleSeconds: Infinity });
  t.after(() => session.dispose());
  session.start(token());
  assert.equal((await session.refresh()).status, "active");
});

test("locks that are there stay as they are", (t) => {
  const undo = installLocks();
  const { locks } = navigator;
  installLocks()();
  assert.equal(navigator.locks, locks);
  undo();
});

test("where the environment has no fetch, as jsdom in Jest, the kit brings what it needs of it", async (t) => {
  const lacking = ["fetch", "Request", "Response", "Headers"];
  put(t, Object.fromEntries(lacking.map((name) => [name, undefined])));
  const { session, server, clock } = await signedIn(t, { idleSeconds: Infinity });
  server.expire();
  const response = await session.fetch("/api/me", { headers: { Accept: "application/json" } });
  assert.deepEqual([response.status, response.ok, (await response.clone().json()).sub], [200, true, "ana"]);
  await clock.advance(600);
  assert.equal(session.snapshot.status, "active");
  assert.equal((await fakeSession().fetch("/a")).status, 204);
});
