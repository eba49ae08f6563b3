// What a client may expect of a token service, over HTTP: the companion server and the development
// server are both held to it. The names are those of the companion's own tests.

import assert from "node:assert/strict";

const KEY = "a-rotation-key-of-one-client";
const OTHER_KEY = "a-rotation-key-of-another";

/** A client of the service at `url` with its switchboard at `control`. */
export function clientOf(url, control) {
  const send = async (method, path, { form, json, token, headers = {}, body } = {}) => {
    const sent = new Headers(headers);
    if (form) sent.set("Content-Type", "application/x-www-form-urlencoded");
    if (json) sent.set("Content-Type", "application/json");
    if (token) sent.set("Authorization", `Bearer ${token}`);
    const content = form ? new URLSearchParams(form).toString() : json ? JSON.stringify(json) : body;
    const response = await fetch(new URL(path, url), { method, headers: sent, body: content });
    const text = await response.text();
    return {
      status: response.status,
      header: (name) => response.headers.get(name),
      cookies: response.headers.getSetCookie(),
      body: text && /json/.test(response.headers.get("Content-Type")) ? JSON.parse(text) : text,
    };
  };
  return {
    send,
    get: (path, token, headers) => send("GET", path, { token, headers }),
    post: (path, more) => send("POST", path, more),
    login: (json = { username: "demo", password: "demo" }) => send("POST", "/auth/login", { json }),
    me: (token) => send("GET", "/api/me", { token }),
    refresh: (refresh_token, key, more = {}) =>
      send("POST", "/oauth/token", {
        form: { grant_type: "refresh_token", refresh_token, ...(key && { rotation_key: key }), ...more },
      }),
    async control(path, json) {
      const response = await fetch(control + path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(json),
      });
      assert.ok(response.ok, `${path}: ${response.status}`);
    },
  };
}

function refused(answer, status, error, code) {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.equal(answer.body.error, error);
  assert.equal(answer.body.error_code, code);
}

/** Services round to whole seconds in their own ways. */
const near = (value, expected) => assert.ok(Math.abs(value - expected) <= 1, `${value} is not ${expected}`);
const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
const pair = (answer) => answer.cookies.find((cookie) => /^(__Host-)?everfresh=/.test(cookie)).split(";")[0];
const own = { "X-Everfresh": "1" };

/** For services that answer with refresh tokens, access tokens living 300 seconds. */
export const expectations = {
  "a login answers as RFC 6749 says": async (api) => {
    const answer = await api.login();
    assert.equal(answer.status, 200);
    assert.equal(answer.header("Cache-Control"), "no-store");
    assert.equal(answer.header("Pragma"), "no-cache");
    assert.deepEqual(answer.cookies, []);
    const { token_type, expires_in, session_expires_in, access_token, refresh_token } = answer.body;
    assert.deepEqual([token_type, expires_in], ["Bearer", 300]);
    near(session_expires_in, 30 * 86_400);
    assert.match(refresh_token, /^rt_/);
    const told = claims(access_token);
    near(told.exp - told.iat, 300);
    for (const name of ["sub", "aud", "client_id", "jti", "sid", "iss"]) assert.equal(typeof told[name], "string", name);
    near(told.auth_time, told.iat);
    near(told.session_expiry - told.iat, 30 * 86_400);
  },

  "a wrong password and an unknown user look alike": async (api) => {
    for (const [username, password] of [["demo", "wrong"], ["nobody", "demo"], ["", ""], ["demo", ""]]) {
      refused(await api.login({ username, password }), 401, "invalid_credentials");
    }
  },

  "a protected route tells what the token says, and without one names the scheme": async (api) => {
    const { access_token, refresh_token } = (await api.login()).body;
    const me = await api.me(access_token);
    assert.equal(me.status, 200);
    assert.deepEqual(me.body, claims(access_token));
    const bare = await api.me();
    refused(bare, 401, "missing_token");
    assert.equal(bare.header("WWW-Authenticate"), "Bearer");
    refused(await api.me(refresh_token), 401, "invalid_token");
    const forged = `${access_token.slice(0, -4)}AAAA`;
    refused(await api.me(forged), 401, "invalid_token");
  },

  "an access token is good to its last second": async (api) => {
    await api.control("/clock", { freeze: true });
    const { access_token } = (await api.login()).body;
    await api.control("/clock", { advance_seconds: 298 });
    assert.equal((await api.me(access_token)).status, 200);
    await api.control("/clock", { advance_seconds: 3 });
    const answer = await api.me(access_token);
    refused(answer, 401, "invalid_token");
    assert.match(answer.header("WWW-Authenticate"), /^Bearer error="invalid_token"/);
    await api.control("/clock", { freeze: false });
  },

  "T0: garbage changes nothing": async (api) => {
    const { access_token, refresh_token } = (await api.login()).body;
    for (const bad of ["x", "rt_", "rt_AAAA", access_token]) refused(await api.refresh(bad, KEY), 400, "invalid_grant");
    assert.equal((await api.refresh(refresh_token, KEY)).status, 200);
  },

  "T1: an ended session says so": async (api) => {
    const { access_token, refresh_token } = (await api.login()).body;
    assert.equal((await api.post("/auth/logout", { token: access_token })).status, 204);
    refused(await api.refresh(refresh_token, KEY), 400, "invalid_grant");
  },

  "T2: another client cannot use the token nor end the session": async (api) => {
    const login = { username: "demo", password: "demo", client_id: "app" };
    const { refresh_token } = (await api.login(login)).body;
    refused(await api.refresh(refresh_token, undefined, { client_id: "other" }), 400, "invalid_grant");
    assert.equal((await api.refresh(refresh_token, undefined, { client_id: "app" })).status, 200);
  },

  "T4: a user who may not go on has to sign in again": async (api) => {
    const { access_token, refresh_token } = (await api.login()).body;
    await api.control("/users/demo", { reauth: true });
    refused(await api.refresh(refresh_token, KEY), 400, "invalid_grant", "login_required");
    assert.equal((await api.me(access_token)).status, 401);
    assert.equal((await api.login()).status, 200);
  },

  "T5 rotates and T6 repeats the same answer, an hour later too": async (api) => {
    const { refresh_token } = (await api.login()).body;
    const first = await api.refresh(refresh_token, KEY);
    assert.equal(first.header("Refresh-Replayed"), null);
    assert.notEqual(first.body.refresh_token, refresh_token);
    await api.control("/clock", { advance_seconds: 3_600 });
    const again = await api.refresh(refresh_token, KEY);
    assert.equal(again.header("Refresh-Replayed"), "1");
    assert.equal(again.body.refresh_token, first.body.refresh_token);
    assert.notEqual(again.body.access_token, first.body.access_token);
    assert.equal(claims(again.body.access_token).sid, claims(first.body.access_token).sid);
  },

  "the key may come in the header; two that differ are a bad request, and so is a short one": async (api) => {
    const { refresh_token } = (await api.login()).body;
    const form = { grant_type: "refresh_token", refresh_token };
    const headers = { "Idempotency-Key": KEY };
    const both = await api.post("/oauth/token", { form: { ...form, rotation_key: OTHER_KEY }, headers });
    refused(both, 400, "invalid_request");
    refused(await api.refresh(refresh_token, "short"), 400, "invalid_request");
    const first = await api.post("/oauth/token", { form, headers });
    const again = await api.refresh(refresh_token, KEY);
    assert.equal(again.body.refresh_token, first.body.refresh_token);
  },

  "T8: a late duplicate is superseded, and nobody is signed out": async (api) => {
    const first = (await api.login()).body.refresh_token;
    let token = first;
    for (let step = 0; step < 8; step += 1) token = (await api.refresh(token, KEY + step)).body.refresh_token;
    refused(await api.refresh(first, `${KEY}0`), 400, "invalid_grant", "superseded");
    token = (await api.refresh(token, OTHER_KEY)).body.refresh_token;
    refused(await api.refresh(first, `${KEY}0`), 400, "invalid_grant", "reuse_detected");
    refused(await api.refresh(token, KEY), 400, "invalid_grant", "reuse_detected");
  },

  "T9: two parties with one token end the session, and no other": async (api) => {
    const [stolen, other] = [(await api.login()).body, (await api.login()).body];
    const thief = (await api.refresh(stolen.refresh_token, OTHER_KEY)).body;
    refused(await api.refresh(stolen.refresh_token, KEY), 400, "invalid_grant", "reuse_detected");
    refused(await api.refresh(thief.refresh_token, KEY), 400, "invalid_grant", "reuse_detected");
    assert.equal((await api.me(thief.access_token)).status, 401);
    assert.equal((await api.refresh(other.refresh_token, KEY)).status, 200);
  },

  "T9: a keyed family is never repeated without a key": async (api) => {
    const { refresh_token } = (await api.login()).body;
    await api.refresh(refresh_token, KEY);
    refused(await api.refresh(refresh_token), 400, "invalid_grant", "reuse_detected");
  },

  "every way to sign out ends the session": async (api) => {
    const ways = {
      bearer: ({ access_token }) => api.post("/auth/logout", { token: access_token }),
      json: ({ refresh_token }) => api.post("/auth/logout", { json: { refresh_token } }),
      form: ({ refresh_token }) => api.post("/auth/logout", { form: { refresh_token } }),
      "revoke refresh": ({ refresh_token }) => api.post("/oauth/revoke", { form: { token: refresh_token } }),
      "revoke access": ({ access_token }) => api.post("/oauth/revoke", { form: { token: access_token } }),
    };
    for (const [name, way] of Object.entries(ways)) {
      const tokens = (await api.login()).body;
      assert.equal((await way(tokens)).status, name.startsWith("revoke") ? 200 : 204, name);
      assert.equal((await api.refresh(tokens.refresh_token, KEY)).status, 400, name);
      assert.equal((await api.me(tokens.access_token)).status, 401, name);
    }
  },

  "signing out twice or with nothing is fine": async (api) => {
    const { access_token } = (await api.login()).body;
    for (let i = 0; i < 2; i += 1) {
      assert.equal((await api.post("/auth/logout", { token: access_token })).status, 204);
    }
    assert.equal((await api.post("/auth/logout")).status, 204);
    assert.equal((await api.post("/auth/logout", { token: "rubbish" })).status, 204);
    assert.equal((await api.post("/oauth/revoke", { form: { token: "rubbish" } })).status, 200);
    refused(await api.post("/oauth/revoke", { form: {} }), 400, "invalid_request");
  },

  "signing out everywhere ends all sessions of the user": async (api) => {
    const [one, two] = [(await api.login()).body, (await api.login()).body];
    await api.post("/auth/logout-everywhere", { token: one.access_token });
    assert.equal((await api.me(one.access_token)).status, 401);
    assert.equal((await api.me(two.access_token)).status, 401);
    const [own, other] = [(await api.login()).body, (await api.login()).body];
    await api.post("/oauth/revoke", { form: { token: own.refresh_token, everywhere: "true" } });
    assert.equal((await api.refresh(other.refresh_token, KEY)).status, 400);
  },

  "what is no request for a refresh is refused clearly": async (api) => {
    const { refresh_token } = (await api.login()).body;
    const ask = (form) => api.post("/oauth/token", { form });
    refused(await ask({ grant_type: "password" }), 400, "unsupported_grant_type");
    refused(await ask({ refresh_token }), 400, "invalid_request");
    refused(await ask({ grant_type: "refresh_token" }), 400, "invalid_request");
    refused(await api.get("/nothing/here"), 404, "not_found");
    const wrong = await api.get("/oauth/token");
    refused(wrong, 405, "method_not_allowed");
    assert.equal(wrong.header("Allow"), "POST");
  },

  "renewal is for services that have it": async (api) => {
    const { access_token } = (await api.login()).body;
    refused(await api.post("/auth/renew", { token: access_token }), 403, "renewal_not_allowed");
  },

  "the keys are published, and verify": async (api) => {
    const { access_token } = (await api.login()).body;
    const { keys } = (await api.get("/.well-known/jwks.json")).body;
    const [head, body, signature] = access_token.split(".");
    const { alg, kid } = JSON.parse(Buffer.from(head, "base64url").toString());
    const jwk = keys.find((key) => key.kid === kid);
    assert.equal(jwk.alg, alg);
    const algorithm = { ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }, EdDSA: { name: "Ed25519" } }[alg];
    const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["verify"]);
    const data = Buffer.from(`${head}.${body}`);
    assert.ok(await crypto.subtle.verify(algorithm, key, Buffer.from(signature, "base64url"), data));
    const metadata = (await api.get("/.well-known/oauth-authorization-server")).body;
    assert.equal(new URL(metadata.token_endpoint).pathname, "/oauth/token");
  },

  "the echo tells what arrived, and no credential": async (api) => {
    const { access_token } = (await api.login()).body;
    const headers = { "X-Own": "mine", Cookie: "a=1" };
    const { body } = await api.send("PUT", "/api/echo?x=1", { token: access_token, json: { a: 1 }, headers });
    assert.deepEqual([body.method, body.path, body.body_length], ["PUT", "/api/echo?x=1", 7]);
    assert.equal(body.headers["x-own"], "mine");
    assert.deepEqual([body.headers.authorization, body.headers.cookie], [undefined, undefined]);
  },

  "a fault is met as often as it was asked for": async (api) => {
    const { refresh_token } = (await api.login()).body;
    await api.control("/faults", { route: "POST /oauth/token", kind: "status", times: 1, status: 503 });
    assert.equal((await api.refresh(refresh_token, KEY)).status, 503);
    await api.control("/faults", { route: "POST /oauth/token", kind: "drop-after-commit", times: 1 });
    await assert.rejects(api.refresh(refresh_token, KEY));
    const again = await api.refresh(refresh_token, KEY);
    assert.deepEqual([again.status, again.header("Refresh-Replayed")], [200, "1"]);
  },
};

// Inside a word, `rt_` is a part of something random.
const REFRESH_TOKEN = /(?<![\w.-])rt_/;

/** For services that keep the refresh token in a cookie; `allowed` is an origin that they know. */
export const cookieExpectations = {
  "the cookie alone carries the refresh token": async (api) => {
    const answer = await api.login();
    const [cookie] = answer.cookies;
    assert.match(cookie, /^everfresh=rt_[^;]+; Path=\/; Max-Age=172800; HttpOnly; SameSite=Strict$/);
    assert.doesNotMatch(JSON.stringify(answer.body), REFRESH_TOKEN);
    const next = await api.post("/auth/refresh", { headers: { ...own, Cookie: pair(answer) } });
    assert.equal(next.status, 200);
    assert.notEqual(pair(next), pair(answer));
    assert.doesNotMatch(JSON.stringify(next.body), REFRESH_TOKEN);
  },

  "a lost answer is repeated by the idempotency key": async (api) => {
    const headers = { ...own, Cookie: pair(await api.login()), "Idempotency-Key": KEY };
    const first = await api.post("/auth/refresh", { headers });
    const again = await api.post("/auth/refresh", { headers });
    assert.equal(pair(first), pair(again));
    assert.equal(again.header("Refresh-Replayed"), "1");
  },

  "a new cookie with the key that made it is a repetition": async (api) => {
    const refresh = (Cookie, key) =>
      api.post("/auth/refresh", { headers: { ...own, Cookie, "Idempotency-Key": key } });
    const old = pair(await api.login());
    const cookie = pair(await refresh(old, KEY));
    for (const sent of [cookie, old]) {
      const again = await refresh(sent, KEY);
      assert.deepEqual([again.status, again.header("Refresh-Replayed"), pair(again)], [200, "1", cookie]);
    }
    assert.notEqual(pair(await refresh(cookie, OTHER_KEY)), cookie);
    refused(await refresh(cookie, KEY), 400, "invalid_grant", "superseded");
    refused(await refresh(cookie, `${KEY}2`), 400, "invalid_grant", "reuse_detected");
  },

  "a foreign page cannot use the cookie": async (api) => {
    const Cookie = pair(await api.login());
    refused(await api.post("/auth/refresh", { headers: { Cookie } }), 403, "csrf");
    for (const Origin of ["https://evil.example", "null", "https://app.example.evil.example"]) {
      refused(await api.post("/auth/refresh", { headers: { ...own, Cookie, Origin } }), 403, "csrf");
    }
    const answer = await api.post("/auth/refresh", { headers: { ...own, Cookie, Origin: "https://app.example" } });
    assert.equal(answer.status, 200);
    assert.equal(answer.header("Access-Control-Allow-Origin"), "https://app.example");
    assert.equal(answer.header("Access-Control-Allow-Credentials"), "true");
  },

  "signing out removes the cookie and ends the session": async (api) => {
    const Cookie = pair(await api.login());
    const answer = await api.post("/auth/logout", { headers: { ...own, Cookie } });
    assert.equal(answer.status, 204);
    assert.match(answer.cookies[0], /^everfresh=; Path=\/; Max-Age=0;/);
    refused(await api.post("/auth/refresh", { headers: { ...own, Cookie } }), 400, "invalid_grant");
  },
};
