import assert from "node:assert/strict";
import { test } from "node:test";

import { createSession } from "../dist/inline.js";
import { page } from "./page.mjs";
import { API, jwt, settle, TOKEN_URL, world } from "./world.mjs";

/** Refreshes once, and gives the session and what the refresh rejected with. */
async function refreshed(t, refresh, answer, options) {
  const w = world(t, { refresh: { url: TOKEN_URL, ...refresh }, ...options });
  w.auth = () => answer(w);
  await w.start();
  const error = await w.session.refresh().then(() => undefined, (error) => error);
  return { w, error, ...w.session.snapshot };
}

test("a function places the refresh token under the service's own name, and nothing else is sent", async (t) => {
  const params = (refreshToken) => ({ refreshToken });
  const { w } = await refreshed(t, { style: "json", params }, (w) => Response.json(w.issue()));
  assert.deepEqual(JSON.parse(w.refreshes[0].body), { refreshToken: "refresh-1" });
});

for (const [what, params] of [
  ["throws", () => { throw new Error("bug"); }],
  ["gives no object", () => "text"],
  ["gives what is no text", () => ({ token: 1 })],
  ["gives a promise", async () => ({})],
  ["gives a hostile object", () => new Proxy({}, { ownKeys() { throw new Error("bug"); } })],
]) {
  test(`params that ${what} is passing, with the cause`, async (t) => {
    const { w, error, status } = await refreshed(t, { style: "json", params }, () => assert.fail("not sent"));
    if (what === "gives a promise") return assert.equal(status, "active");
    assert.equal(error.code, "ERR_REFRESH_UNAVAILABLE");
    assert.ok(error.cause instanceof Error);
    assert.equal(status, "active");
    assert.equal(w.refreshes.length, 0);
  });
}

test("GET has no body, and is refused where a token would be in the address", async (t) => {
  const refresh = { style: "cookie", method: "GET" };
  const { w } = await refreshed(t, refresh, (w) => Response.json(w.issue()));
  assert.equal(w.refreshes[0].method, "GET");
  assert.equal(w.refreshes[0].init.body, null);
  for (const style of ["oauth2", "json", undefined]) {
    const create = () => createSession({ refresh: { url: TOKEN_URL, style, method: "GET" } });
    assert.throws(create, { code: "ERR_INVALID_OPTION", message: /refresh\.method cannot be "GET"/ });
  }
});

test("headers of ours go to the page's own origin alone", async (t) => {
  page(t);
  for (const [url, foreign] of [["/token", false], ["https://app.test/token", false], [TOKEN_URL, true]]) {
    for (const style of ["cookie", "cookies", "renew"]) {
      const sent = [];
      const fetch = async (input, init) => {
        sent.push(new Headers(init.headers));
        return Response.json({ access_token: jwt({ exp: 9e9 }), expires_in: 300 });
      };
      const session = createSession({ refresh: { url, revokeUrl: url, style }, fetch, name: url + style });
      session.start({ access_token: jwt({ exp: 9e9 }), expires_in: 300 });
      await session.refresh();
      await session.signOut();
      session.dispose();
      const [refresh, revoke] = sent;
      const at = `${style} at ${url}`;
      assert.equal(refresh.has("Idempotency-Key"), !foreign, at);
      assert.equal(refresh.has("X-Everfresh"), !foreign && style !== "renew", at);
      assert.equal(revoke.has("X-Everfresh"), !foreign, at);
    }
  }
});

test("tokens reads an answer of another shape", async (t) => {
  const tokens = ({ data }, response) => ({
    accessToken: data.access,
    refreshToken: response.headers.get("X-Refresh"),
    expiresIn: data.expires / 1_000,
  });
  const answer = (w) => {
    const { access_token: access } = w.issue();
    return Response.json({ data: { access, expires: 120_000 } }, { headers: { "X-Refresh": "r2" } });
  };
  const { w, expiresAt } = await refreshed(t, { tokens }, answer);
  assert.equal(await w.session.getAccessToken(), w.current);
  assert.equal(expiresAt - Date.now(), 120_000);
  await w.session.refresh();
  assert.equal(new URLSearchParams(String(w.refreshes[1].body)).get("refresh_token"), "r2");
});

test("what tokens can make nothing of is judged as it came", async (t) => {
  const tokens = ({ access }) => ({ accessToken: access });
  const answer = () => Response.json({ error: "invalid_grant" }, { status: 400 });
  assert.equal((await refreshed(t, { tokens }, answer)).reason, "revoked");
});

const verdicts = [
  ["granted", 409, "active", undefined],
  ["transient", 401, "active", "ERR_REFRESH_UNAVAILABLE"],
  ["refused", 200, "signed-out", "ERR_SIGNED_OUT_BY_SERVER", "revoked"],
  [{ refused: "revoked" }, 200, "signed-out", "ERR_SIGNED_OUT_BY_SERVER", "revoked"],
  [{ refused: "reuse" }, 500, "signed-out", "ERR_SIGNED_OUT_BY_SERVER", "reuse"],
  [{ refused: "login-required" }, 404, "signed-out", "ERR_SIGNED_OUT_BY_SERVER", "login-required"],
  [undefined, 200, "active", undefined],
];
for (const [verdict, answered, status, code, reason = null] of verdicts) {
  test(`classify: ${JSON.stringify(verdict)} for ${answered}`, async (t) => {
    const seen = [];
    const classify = (response, body) => {
      seen.push([response.status, typeof body.access_token]);
      return verdict;
    };
    const answer = (w) => Response.json(w.issue(), { status: answered });
    const found = await refreshed(t, { classify }, answer);
    assert.deepEqual([found.status, found.error?.code, found.reason], [status, code, reason]);
    assert.deepEqual(seen, [[answered, "string"]]);
  });
}

test("classify: what 429 hints at is kept when it is called transient", async (t) => {
  const w = world(t, { refresh: { url: TOKEN_URL, classify: () => "transient" } });
  await w.start();
  const headers = { "X-RateLimit-Reset": "600" };
  w.auth = () => Response.json({ error: "invalid_grant" }, { status: 429, headers });
  await assert.rejects(w.session.refresh(), { status: 429 });
  const { at, retryAt } = w.events.find(({ type }) => type === "refresh-failed");
  assert.equal(retryAt - at, 600_000);
});

const bugs = [
  ["classify throws", { classify: () => { throw new Error("bug"); } }],
  ["tokens throws", { tokens: (body) => body.no.such.member }],
  ["tokens gives what cannot be read", { tokens: () => new Proxy({}, { ownKeys() { throw new Error("bug"); } }) }],
  ["classify gives nonsense that throws", { classify: () => ({ get refused() { throw new Error("bug"); } }) }],
];
for (const [what, refresh] of bugs) {
  test(`${what}: passing, with the cause`, async (t) => {
    const { w, error, status } = await refreshed(t, refresh, (w) => Response.json(w.issue(), { status: 200 }));
    assert.equal(error.code, "ERR_REFRESH_UNAVAILABLE");
    assert.match(String(error.cause), /bug|undefined/);
    assert.equal(status, "active");
    await w.session.signOut();
    assert.equal(w.session.snapshot.status, "signed-out", "nothing waits for ever");
  });
}

test("an answer that is no JSON reaches the functions as text", async (t) => {
  const classify = (_, body) => (body === "gone" ? "refused" : undefined);
  assert.equal((await refreshed(t, { classify }, () => new Response("gone"))).reason, "revoked");
});

test("cookies: requests go with credentials and no token, and a 401 is healed by one empty POST", async (t) => {
  const w = world(t, { refresh: { url: TOKEN_URL, style: "cookies", revokeUrl: "https://auth.test/out" } });
  w.auth = () => new Response(null, { status: 204 });
  w.session.start({ expiresIn: 300 });
  await settle();
  assert.equal(w.session.snapshot.status, "active");
  let good = true;
  w.api = () => new Response(null, { status: good ? 200 : 401 });
  await w.session.fetch(`${API}/a`, { headers: { "X-A": "1" } });
  await w.session.fetch(new Request(`${API}/b`));
  await w.session.fetch(`${API}/c`, { credentials: "omit" });
  assert.deepEqual(w.sent.map(({ request }) => request.credentials), ["include", "include", "omit"]);
  assert.ok(w.sent.every(({ token }) => token === undefined));
  good = false;
  w.auth = () => {
    good = true;
    return Response.json({ expires_in: 300 });
  };
  assert.equal((await w.session.fetch(`${API}/d`)).status, 200);
  assert.equal(w.refreshes.length, 1);
  assert.equal(String(w.refreshes[0].body), "");
  assert.equal(w.refreshes[0].headers.get("authorization"), null);
  assert.equal(await w.session.authorize(API), null);
  await assert.rejects(w.session.getAccessToken(), { code: "ERR_NOT_SIGNED_IN" });
  await w.advance(241);
  assert.equal(w.refreshes.length, 2, "what expires_in said");
  await w.session.signOut();
  assert.equal(w.refreshes.at(-1).url, "https://auth.test/out");
  assert.equal(w.refreshes.at(-1).headers.get("authorization"), null);
});

test("cookies: nothing needs to say how long they live", async (t) => {
  const w = world(t, { refresh: { url: TOKEN_URL, style: "cookies" } });
  let good = true;
  w.api = () => new Response(null, { status: good ? 200 : 401 });
  w.auth = () => {
    good = true;
    return new Response(null, { status: 204 });
  };
  w.session.start({});
  await w.advance(1_200, 60);
  const { status, expiresAt } = w.session.snapshot;
  assert.deepEqual([status, expiresAt, w.refreshes.length], ["active", null, 0]);
  good = false;
  assert.equal((await w.session.fetch(API)).status, 200);
  assert.deepEqual([w.refreshes.length, w.session.snapshot.status], [1, "active"]);
});

test("cookies: a refusal ends the session, a page load asks once", async (t) => {
  const refresh = { url: TOKEN_URL, style: "cookies" };
  const w = world(t, { refresh });
  w.auth = () => Response.json({ expires_in: 300 });
  const restoring = w.session.restore();
  await w.advance(2, 0.1);
  assert.equal((await restoring).status, "active");
  w.auth = () => Response.json({ error: "invalid_grant" }, { status: 400 });
  await assert.rejects(w.session.refresh(), { code: "ERR_SIGNED_OUT_BY_SERVER" });
  assert.equal(w.session.snapshot.reason, "revoked");
});

test("a refresh function is given the plain transport", async (t) => {
  const asked = [];
  const fetch = async (input) => {
    asked.push(String(input));
    return Response.json({ access_token: jwt({ sub: "ana", exp: 9e9 }), expires_in: 300 });
  };
  const refresh = async ({ fetch }) => (await fetch("/my/refresh")).json();
  const w = world(t, { refresh, fetch });
  await w.start();
  await w.session.refresh();
  assert.deepEqual(asked, ["/my/refresh"]);
});

for (const [what, wait] of [
  ["fetch", (session) => session.fetch(`${API}/refresh`)],
  ["getAccessToken", (session) => session.getAccessToken()],
  ["authorize", (session) => session.authorize(API)],
  ["refresh", (session) => session.refresh()],
]) {
  test(`a refresh function that waits for its own session by ${what} is found out at once`, async (t) => {
    const w = world(t, { refresh: () => wait(w.session) });
    await w.start();
    await w.advance(310, 310);
    const error = await w.session.refresh().catch((error) => error);
    assert.equal(error.code, "ERR_REFRESH_UNAVAILABLE");
    assert.match(error.cause?.message ?? error.message, /refresh function waits for its own session/);
  });
}

test("a refresh function that waits for its own session later is named by its timeout", async (t) => {
  // After an await nothing tells who calls: only that the function does not end.
  const refresh = async () => {
    await undefined;
    return w.session.getAccessToken();
  };
  const w = world(t, { refresh, waitSeconds: 60 });
  await w.start();
  await w.advance(310, 310);
  const [error] = await Promise.all([w.session.refresh().catch((error) => error), w.advance(30, 1)]);
  assert.equal(error.code, "ERR_REFRESH_TIMEOUT");
  assert.match(error.message, /maybe the refresh function waits for its own session/);
});

test("extendOn touch: during the warning a button extends, and nothing else", async (t) => {
  const { fire, document } = page(t);
  const w = world(t, { origins: [API], idleSeconds: 300, extendOn: "touch", idleMode: "end" });
  w.lifetime = 3_600;
  await w.start();
  await w.advance(200, 10);
  fire("keydown");
  await w.advance(235, 5);
  assert.equal(w.session.snapshot.status, "active", "before the warning any input counts");
  await w.advance(10, 1);
  assert.equal(w.session.snapshot.status, "warning");
  fire("keydown");
  document.visibilityState = "visible";
  fire("visibilitychange");
  await settle();
  assert.equal(w.session.snapshot.status, "warning");
  w.session.touch();
  assert.equal(w.session.snapshot.status, "active");
  assert.ok(w.told.includes("extended"));
  await w.advance(245, 5);
  assert.equal(w.session.snapshot.status, "warning");
  fire("keydown");
  await w.advance(60, 5);
  assert.deepEqual([w.session.snapshot.status, w.session.snapshot.reason], ["signed-out", "idle"]);
});
