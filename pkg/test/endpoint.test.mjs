import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";

import { SignedOutByServerError } from "../dist/inline.js";
import { API, jwt, settle, TOKEN_URL, world } from "./world.mjs";

const KEY = /^[\x21-\x7e]{16,128}$/;

async function refreshed(t, endpoint) {
  const w = world(t, { refresh: endpoint });
  await w.start();
  const old = w.current;
  await w.session.refresh();
  const [{ url, method, headers, body, init }] = w.refreshes;
  assert.equal(url, TOKEN_URL);
  assert.equal(method, "POST");
  assert.equal(init.cache, "no-store");
  assert.equal(init.redirect, "manual");
  assert.equal(headers.get("accept"), "application/json");
  return { headers, body: String(body), init, old, w };
}

test("oauth2: a form with the rotation key as a parameter", async (t) => {
  const { headers, body, init } = await refreshed(t, { url: TOKEN_URL, clientId: "app", params: { scope: "a b" } });
  assert.equal(headers.get("content-type"), "application/x-www-form-urlencoded;charset=UTF-8");
  const { rotation_key, ...rest } = Object.fromEntries(new URLSearchParams(body));
  assert.deepEqual(rest, { grant_type: "refresh_token", refresh_token: "refresh-1", client_id: "app", scope: "a b" });
  assert.match(rotation_key, KEY);
  assert.deepEqual([...headers.keys()].sort(), ["accept", "content-type"], "no CORS preflight");
  assert.equal(init.credentials, "same-origin");
});

test("json: an object", async (t) => {
  const { headers, body } = await refreshed(t, { url: TOKEN_URL, style: "json" });
  assert.equal(headers.get("content-type"), "application/json");
  assert.deepEqual(JSON.parse(body), { refresh_token: "refresh-1" }, "no member that may be refused");
});

test("cookie: no body, credentials and headers", async (t) => {
  const { headers, body, init } = await refreshed(t, { url: TOKEN_URL, style: "cookie" });
  assert.equal(body, "");
  assert.equal(init.credentials, "include");
  assert.equal(headers.get("x-everfresh"), "1");
  assert.match(headers.get("idempotency-key"), KEY);
  assert.equal(headers.get("authorization"), null);
});

test("renew: the valid access token as bearer", async (t) => {
  const { headers, body, old } = await refreshed(t, { url: TOKEN_URL, style: "renew" });
  assert.equal(body, "");
  assert.equal(headers.get("authorization"), `Bearer ${old}`);
  assert.match(headers.get("idempotency-key"), KEY);
});

test("the rotation key travels as asked, or not at all", async (t) => {
  const header = await refreshed(t, { url: TOKEN_URL, rotationKey: "header", headers: { "X-A": "1" } });
  assert.match(header.headers.get("idempotency-key"), KEY);
  assert.equal(header.headers.get("x-a"), "1");
  assert.doesNotMatch(header.body, /rotation_key/);
  t.mock.timers.reset();
  t.mock.restoreAll();
  const off = await refreshed(t, { url: TOKEN_URL, rotationKey: "off" });
  assert.equal(off.headers.get("idempotency-key"), null);
  assert.doesNotMatch(off.body, /rotation_key/);
});

test("headers of the application are kept where the style has none of its own", async (t) => {
  const own = { Authorization: "Basic YXBwOnNlY3JldA==", "Idempotency-Key": "mine" };
  const revokeUrl = "https://auth.test/revoke";
  const { headers, w } = await refreshed(t, { url: TOKEN_URL, revokeUrl, headers: own });
  await w.session.signOut();
  for (const sent of [headers, w.refreshes.at(-1).headers]) {
    for (const name in own) assert.equal(sent.get(name), own[name]);
  }
});

test("a retry repeats the rotation key, the next refresh has another", async (t) => {
  const w = world(t);
  await w.start();
  const { auth } = w;
  w.auth = () => Promise.reject(new TypeError("cut off"));
  await assert.rejects(w.session.refresh(), { code: "ERR_REFRESH_UNAVAILABLE" });
  w.auth = auth;
  await w.advance(5);
  await w.session.refresh();
  const keys = w.refreshes.map(({ body }) => new URLSearchParams(String(body)).get("rotation_key"));
  assert.equal(keys.length, 3);
  assert.equal(keys[0], keys[1]);
  assert.notEqual(keys[1], keys[2]);
});

test("a function gets what it needs and may answer with a string", async (t) => {
  const asked = [];
  const exp = Date.UTC(2030, 0, 2) / 1_000;
  const next = jwt({ sub: "ana", exp });
  const w = world(t, { refresh: async (request) => { asked.push(request); return next; } });
  await w.start();
  const old = w.current;
  await w.session.refresh();
  const [{ signal, rotationKey, lastActivityAt, claims, fetch, ...rest }] = asked;
  assert.equal(typeof fetch, "function");
  assert.deepEqual(rest, { accessToken: old, refreshToken: "refresh-1", reason: "explicit" });
  assert.ok(signal instanceof AbortSignal);
  assert.match(rotationKey, KEY);
  assert.equal(typeof lastActivityAt, "number");
  assert.equal(claims.sub, "ana");
  assert.equal(await w.session.getAccessToken(), next);
});

test("a refresh function is given no token that the session lacks", async (t) => {
  const asked = [];
  const w = world(t, { refresh: async (request) => { asked.push(request); return { accessToken: "a2", expiresIn: 60 }; } });
  w.session.start({ accessToken: "a1", expiresIn: 60 });
  await w.session.refresh();
  assert.equal(asked[0].accessToken, "a1");
  assert.equal(asked[0].refreshToken, undefined);
  assert.equal(asked[0].claims, null);
});

test("a function that throws is tried again, unless it says that there is no point", async (t) => {
  let error = new Error("backend down");
  const w = world(t, { refresh: async () => { throw error; } });
  await w.start();
  await assert.rejects(w.session.refresh(), { code: "ERR_REFRESH_UNAVAILABLE" });
  assert.equal(w.session.snapshot.status, "active");
  error = new SignedOutByServerError("gone");
  await assert.rejects(w.session.refresh(), { code: "ERR_SIGNED_OUT_BY_SERVER" });
  assert.equal(w.session.snapshot.reason, "revoked");

  await w.start();
  error = Object.assign(new Error("gone"), { terminal: true });
  await assert.rejects(w.session.refresh());
  assert.equal(w.session.snapshot.status, "signed-out");
});

test("errors name the cause that a function threw", async (t) => {
  const cause = new Error("the vault is locked");
  const w = world(t, { refresh: async () => { throw cause; }, waitSeconds: 5 });
  await w.start();
  const refused = w.session.refresh().catch((error) => error);
  await w.advance(6);
  assert.equal((await refused).cause, cause);
  assert.equal(w.session.snapshot.lastError.cause, cause);
  assert.equal(w.events.find(({ type }) => type === "refresh-failed").error.cause, cause);
});

test("a cause is told to the application, not to the log, and ends with its session", async (t) => {
  const thrown = Object.assign(new Error("refused"), { config: "refresh_token=refresh-1" });
  const w = world(t, { refresh: async () => { throw thrown; }, waitSeconds: 5 });
  await w.start();
  const refused = w.session.refresh().catch((error) => error);
  await w.advance(6);
  assert.equal((await refused).cause, thrown);
  for (const { details } of w.logged) assert.equal(details?.error?.cause, undefined);
  w.session.cancel();
  w.session.start(w.issue({ sub: "ben" }));
  await settle();
  assert.equal(w.session.snapshot.lastError, null);
});

test("a refresh that hangs is not blamed on the one before", async (t) => {
  const w = world(t, { waitSeconds: 40 });
  await w.start();
  w.auth = () => { throw new TypeError("Failed to fetch"); };
  await w.advance(245);
  w.auth = ({ init: { signal } }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const hung = w.session.refresh().catch((error) => error);
  await w.advance(41);
  const { code, cause } = await hung;
  assert.deepEqual([code, cause], ["ERR_REFRESH_TIMEOUT", undefined]);
});

test("errors name the cause that fetch threw, and an answer leaves none", async (t) => {
  const w = world(t, { waitSeconds: 5 });
  await w.start();
  const failure = async () => {
    const refused = w.session.refresh().catch((error) => error);
    await w.advance(6);
    return refused;
  };
  w.auth = () => { throw new TypeError("Failed to fetch"); };
  assert.equal((await failure()).cause?.message, "Failed to fetch");
  w.auth = () => new Response(null, { status: 503 });
  assert.ok(!("cause" in await failure()));
});

test("a lead function that tries another token does not take the first one's place", async (t) => {
  const w = world(t, { leadSeconds: () => (w.session.start(""), 60) });
  await w.start();
  assert.equal(w.session.snapshot.subject, "ana");
  assert.equal(await w.session.getAccessToken(), w.current);
});

test("the status of a refusal is in the log, and nothing else of the answer", async (t) => {
  const w = world(t);
  await w.start();
  const refused = (status) =>
    w.logged.filter(({ level, details }) => level === "info" && details?.status === status).length;
  w.auth = () => new Response("oops", { status: 503 });
  await w.session.refresh().catch(() => {});
  assert.equal(refused(503), 1);
  w.auth = () => Response.json({ error: "no such token: refresh-1" }, { status: 404 });
  await w.session.refresh().catch(() => {});
  assert.equal(refused(404), 1);
  assert.equal(w.session.snapshot.lastError.code, "ERR_REFRESH_UNAVAILABLE");
  assert.doesNotMatch(inspect(w.logged, { depth: 9 }), /refresh-1|no such token|oops/);
});

test("without a refresh token the error names that among its causes", async (t) => {
  const w = world(t);
  w.session.start({ access_token: "opaque", expires_in: 300 });
  await assert.rejects(w.session.refresh(), { code: "ERR_REFRESH_UNAVAILABLE", message: /no refresh token/ });
  assert.equal(w.refreshes.length, 0);
});

test("a sign-out that no server hears of is warned of", async (t) => {
  const w = world(t);
  await w.start();
  await w.session.signOut();
  const warnings = w.logged.filter(({ level }) => level === "warn").map(({ message }) => message);
  assert.match(warnings.join(), /revokeUrl/);
});

test("a function that answers with times of the wrong type is tried again", async (t) => {
  const good = { access_token: "opaque-too", expires_in: "300" };
  const wrong = [Symbol("s"), {}, [], "5m"].map((expiresIn) => ({ accessToken: "opaque", expiresIn }));
  const answers = [...wrong, good];
  const other = world(t, { refresh: async () => answers.shift() });
  await other.start();
  for (const { expiresIn } of wrong) {
    await assert.rejects(other.session.refresh(), { code: "ERR_BAD_REFRESH_RESPONSE" }, String(typeof expiresIn));
  }
  await other.session.refresh();
  assert.equal(await other.session.getAccessToken(), good.access_token);
});

test("a function may call the session", async (t) => {
  const w = world(t, {
    refresh: () => {
      w.session.touch();
      return w.session.snapshot.status === "active" ? w.issue() : undefined;
    },
  });
  await w.start();
  await w.session.refresh();
  assert.equal(w.session.snapshot.generation, 2);
});

const answers = {
  "503": [() => new Response(null, { status: 503 }), "ERR_REFRESH_UNAVAILABLE", "active"],
  "408": [() => new Response(null, { status: 408 }), "ERR_REFRESH_UNAVAILABLE", "active"],
  "HTML with status 200": [() => new Response("<html>"), "ERR_BAD_REFRESH_RESPONSE", "active"],
  "JSON without a token": [() => Response.json({ ok: true }), "ERR_BAD_REFRESH_RESPONSE", "active"],
  "a redirect": [() => new Response(null, { status: 302 }), "ERR_BAD_REFRESH_RESPONSE", "active"],
  "a body cut off": [
    () => new Response(new ReadableStream({ start: (c) => c.error(new Error("cut")) })),
    "ERR_REFRESH_UNAVAILABLE",
    "active",
  ],
  "401": [() => new Response(null, { status: 401 }), "ERR_SIGNED_OUT_BY_SERVER", "revoked"],
  "404": [() => new Response(null, { status: 404 }), "ERR_REFRESH_UNAVAILABLE", "active"],
  "a firewall's page": [() => new Response("<html>", { status: 403 }), "ERR_REFRESH_UNAVAILABLE", "active"],
  "no with status 200": [
    () => Response.json({ error: "bad_refresh_token" }),
    "ERR_SIGNED_OUT_BY_SERVER",
    "revoked",
  ],
  "reuse detected": [
    () => Response.json({ error: "invalid_grant", error_code: "reuse_detected" }, { status: 400 }),
    "ERR_SIGNED_OUT_BY_SERVER",
    "reuse",
  ],
  "another subject": [(w) => Response.json(w.issue({ sub: "eve" })), undefined, "subject-changed"],
};

for (const [name, [answer, code, end]] of Object.entries(answers)) {
  test(`the endpoint answers ${name}`, async (t) => {
    const w = world(t);
    await w.start();
    w.auth = () => answer(w);
    await assert.rejects(w.session.refresh(), (error) => !code || error.code === code);
    const { status, reason } = w.session.snapshot;
    assert.equal(reason ?? status, end);
  });
}

test("errors and the log say what the endpoint answered", async (t) => {
  const w = world(t);
  await w.start();
  const error = "invalid_scope";
  w.auth = () => Response.json({ error, error_description: "no such scope" }, { status: 400 });
  const said = { status: 400, error, errorDescription: "no such scope" };
  await assert.rejects(w.session.refresh(), { code: "ERR_REFRESH_UNAVAILABLE", ...said });
  assert.equal(w.session.snapshot.lastError.status, 400);
  assert.ok(w.logged.some(({ details }) => details?.errorDescription === said.errorDescription));
  w.auth = () => Promise.reject(new TypeError("cut off"));
  await assert.rejects(w.session.refresh(), ({ status }) => status === undefined);
});

test("Retry-After is honoured to the second, in seconds or as a date", async (t) => {
  for (const header of ["20", new Date(Date.UTC(2030, 0, 1, 0, 0, 20)).toUTCString()]) {
    t.mock.timers.reset();
    t.mock.restoreAll();
    const w = world(t);
    await w.start();
    w.auth = () => new Response(null, { status: 429, headers: { "Retry-After": header } });
    await assert.rejects(w.session.refresh());
    w.auth = () => Response.json(w.issue());
    await w.advance(19, 0.5);
    assert.equal(w.refreshes.length, 1, header);
    await w.advance(25, 0.5);
    assert.equal(w.refreshes.length, 2, header);
  }
});

test("an endpoint that hangs is given up after timeoutSeconds", async (t) => {
  const w = world(t, { timeoutSeconds: 10 });
  await w.start();
  w.auth = () => new Promise(() => {});
  const refresh = assert.rejects(w.session.refresh(), { code: "ERR_REFRESH_TIMEOUT" });
  await w.advance(11);
  await refresh;
  assert.equal(w.refreshes[0].init.signal.aborted, true);
});

test("leadSeconds as a function is called each cycle", async (t) => {
  const seen = [];
  const w = world(t, { leadSeconds: (claims) => { seen.push(claims.jti); return 100; } });
  await w.start();
  assert.equal(w.session.snapshot.refreshAt, Date.now() + 200_000);
  await w.advance(201, 5);
  assert.equal(w.refreshes.length, 1);
  assert.ok(seen.includes("1") && seen.includes("2"));
});

test("a lead function that fails costs the default lead", async (t) => {
  for (const lead of [() => { throw new Error("bug"); }, () => NaN, () => "5"]) {
    t.mock.timers.reset();
    t.mock.restoreAll();
    const w = world(t, { leadSeconds: lead });
    await w.start();
    assert.equal(w.session.snapshot.refreshAt, Date.now() + 240_000);
    assert.equal(w.logged[0].level, "error");
  }
});

test("sign-out revokes as RFC 7009 says", async (t) => {
  const revokeUrl = "https://auth.test/revoke";
  const w = world(t, { refresh: { url: TOKEN_URL, revokeUrl, clientId: "app" } });
  await w.start();
  w.auth = () => new Response();
  await w.session.signOut();
  const [{ url, body, init }] = w.refreshes;
  assert.equal(url, revokeUrl);
  assert.equal(String(body), "token=refresh-1&token_type_hint=refresh_token&client_id=app");
  assert.equal(init.keepalive, true);
});

test("cookie sign-out calls the logout endpoint", async (t) => {
  const revokeUrl = "https://auth.test/auth/logout";
  const w = world(t, { refresh: { url: TOKEN_URL, style: "cookie", revokeUrl } });
  await w.start();
  const { current } = w;
  w.auth = () => new Response(null, { status: 204 });
  await w.session.signOut();
  const [{ headers, body, init }] = w.refreshes;
  assert.equal(headers.get("x-everfresh"), "1");
  assert.equal(headers.get("authorization"), `Bearer ${current}`);
  assert.equal(init.credentials, "include");
  assert.equal(String(body), "");
});

test("a revoke that fails is reported and repeated; signing out never fails", async (t) => {
  const revokeUrl = "https://auth.test/revoke";
  const w = world(t, { refresh: { url: TOKEN_URL, revokeUrl } });
  await w.start();
  w.auth = () => new Response(null, { status: 503 });
  await w.session.signOut();
  assert.equal(w.session.snapshot.reason, "signed-out");
  const failed = w.events.find(({ type }) => type === "revoke-failed");
  assert.ok(failed.retryAt > Date.now());
  w.auth = () => new Response();
  await w.advance(60);
  assert.equal(w.refreshes.length, 2);
});

test("two sign-outs are revoked side by side, and closing the session stops neither", async (t) => {
  const revokeUrl = "https://auth.test/revoke";
  const w = world(t, { refresh: { url: TOKEN_URL, revokeUrl } });
  w.auth = () => new Promise(() => {});
  for (let i = 0; i < 2; i += 1) {
    await w.start();
    w.session.signOut().catch(() => {});
    await settle();
  }
  w.session.dispose();
  await settle();
  assert.equal(w.refreshes.length, 2);
  assert.notEqual(String(w.refreshes[0].body), String(w.refreshes[1].body));
  assert.ok(w.refreshes.every(({ init }) => !init.signal?.aborted));
});

test("an endpoint's 401 of the API is not mistaken for its own", async (t) => {
  const w = world(t, { origins: [API, "https://auth.test"] });
  await w.start();
  w.auth = ({ token }) => new Response(null, { status: token ? 401 : 400 });
  assert.equal((await w.session.fetch("https://auth.test/me")).status, 401);
  await settle();
  assert.ok(w.refreshes.length <= 3);
});
