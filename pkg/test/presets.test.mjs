// Each preset through the engine, with answers as the services give them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as presets from "../dist/presets.js";
import { jwt, world } from "./world.mjs";

const client = { clientId: "app", clientSecret: "s" };
const url = "https://auth.example";
const STD = { grant_type: "refresh_token", refresh_token: "refresh-1", client_id: "app" };
const std = (token) => ({ access_token: token, refresh_token: "r2", expires_in: 300, token_type: "Bearer" });
const ERR = [400, { error: "invalid_grant" }, "revoked"];

/**
 * By preset: its options, the address, what is sent in the body, what a success looks like and for how
 * many seconds its token lives, the refusals `[status, body, reason]`, and what is passing.
 */
const table = {
  supabase: {
    options: { url, apiKey: "k" },
    at: `${url}/auth/v1/token?grant_type=refresh_token`,
    sent: { refresh_token: "refresh-1" },
    headers: { apikey: "k" },
    granted: std,
    refused: [
      [400, { code: 400, error_code: "refresh_token_not_found", msg: "Invalid Refresh Token" }, "revoked"],
      [400, { code: 400, error_code: "refresh_token_already_used", msg: "" }, "reuse"],
      [403, { code: "session_expired", message: "" }, "revoked"],
      [403, { code: 403, error_code: "user_banned", msg: "" }, "revoked"],
    ],
    passing: [
      [409, { code: 409, error_code: "conflict", msg: "" }],
      [429, { code: 429, error_code: "over_request_rate_limit", msg: "" }],
    ],
  },
  firebase: {
    options: { apiKey: "a/b" },
    at: "https://securetoken.googleapis.com/v1/token?key=a%2Fb",
    sent: { grant_type: "refresh_token", refresh_token: "refresh-1" },
    granted: (token) => ({
      access_token: token, id_token: token, expires_in: "300", refresh_token: "r2", user_id: "u", project_id: "1",
    }),
    refused: ["TOKEN_EXPIRED", "USER_DISABLED", "USER_NOT_FOUND", "INVALID_REFRESH_TOKEN"].map((message) => [
      400, { error: { code: 400, message, status: "INVALID_ARGUMENT" } }, "revoked",
    ]),
    passing: [[503, { error: { code: 503, message: "UNAVAILABLE" } }]],
  },
  cognito: {
    options: { region: "eu-west-1", clientId: "app" },
    at: "https://cognito-idp.eu-west-1.amazonaws.com/",
    sent: { ClientId: "app", RefreshToken: "refresh-1" },
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "AWSCognitoIdentityProviderService.GetTokensFromRefreshToken",
    },
    granted: (token) => ({ AuthenticationResult: { AccessToken: token, IdToken: token, ExpiresIn: 300 } }),
    refused: [
      [400, { __type: "NotAuthorizedException", message: "Refresh Token has been revoked" }, "revoked"],
      [400, { __type: "com.amazonaws#UserNotFoundException", message: "" }, "revoked"],
      [400, { __type: "RefreshTokenReuseException", message: "" }, "reuse"],
    ],
    passing: [
      [400, { __type: "TooManyRequestsException", message: "" }],
      [500, { __type: "InternalErrorException", message: "" }],
    ],
  },
  github: {
    options: client,
    at: "https://github.com/login/oauth/access_token",
    sent: { ...STD, client_secret: "s" },
    granted: std,
    refused: [[200, { error: "bad_refresh_token", error_description: "" }, "revoked"]],
    passing: [[502, "<html>"]],
  },
  slack: {
    options: client,
    at: "https://slack.com/api/oauth.v2.access",
    sent: { ...STD, client_secret: "s" },
    granted: (token) => ({ ok: true, ...std(token), token_type: "bot" }),
    refused: [[200, { ok: false, error: "invalid_refresh_token" }, "revoked"]],
    passing: [[200, { ok: false, error: "internal_error" }], [200, { ok: false, error: "fatal_error" }]],
  },
  zoom: {
    options: { basic: "YTpi" },
    at: "https://zoom.us/oauth/token",
    sent: { grant_type: "refresh_token", refresh_token: "refresh-1" },
    headers: { authorization: "Basic YTpi" },
    granted: std,
    refused: [[400, { reason: "Invalid Token!", error: "invalid_request" }, "revoked"]],
    passing: [[500, {}]],
  },
  hubspot: {
    options: client,
    at: "https://api.hubapi.com/oauth/v1/token",
    sent: { ...STD, client_secret: "s" },
    granted: std,
    refused: [[400, { status: "BAD_REFRESH_TOKEN", error: "invalid_request", message: "" }, "revoked"]],
    passing: [[429, {}]],
  },
  strava: {
    options: client,
    at: "https://www.strava.com/oauth/token",
    sent: { ...STD, client_secret: "s" },
    granted: std,
    refused: [
      [400, { message: "Bad Request", errors: [{ resource: "RefreshToken", field: "", code: "invalid" }] }, "revoked"],
    ],
    passing: [[503, ""]],
  },
  salesforce: {
    options: { url, sessionSeconds: 7_200, ...client },
    at: `${url}/services/oauth2/token`,
    sent: { ...STD, client_secret: "s" },
    granted: () => ({ access_token: "00D!opaque", instance_url: url, issued_at: "1278448384422" }),
    lifetime: 7_200,
    refused: [ERR, [400, { error: "inactive_user" }, "revoked"]],
    passing: [[503, "<html>"]],
  },
  entra: {
    options: { tenant: "t", clientId: "app", scope: "openid offline_access" },
    at: "https://login.microsoftonline.com/t/oauth2/v2.0/token",
    sent: { ...STD, scope: "openid offline_access" },
    granted: std,
    refused: [ERR],
    passing: [[503, { error: "temporarily_unavailable" }]],
  },
  gitlab: {
    options: { url, clientId: "app", redirectUri: "https://app.test/cb" },
    at: `${url}/oauth/token`,
    sent: { ...STD, redirect_uri: "https://app.test/cb" },
    granted: (token) => ({ ...std(token), created_at: 1 }),
    refused: [ERR],
    passing: [[502, ""]],
  },
  clerk: {
    options: { url, sessionId: "sess_1" },
    at: `${url}/v1/client/sessions/sess_1/tokens`,
    sent: "",
    granted: (token) => ({ object: "token", jwt: token }),
    refused: [
      [401, { errors: [{ code: "authentication_invalid", message: "" }] }, "revoked"],
      [422, { errors: [{ code: "resource_missing", message: "" }] }, "revoked"],
    ],
    passing: [[429, { errors: [{ code: "too_many_requests", message: "" }] }]],
  },
  hydra: {
    options: { url, clientId: "app" },
    at: `${url}/oauth2/token`,
    sent: STD,
    granted: std,
    refused: [ERR],
    passing: [[400, { error: "invalid_request", error_description: "... Please retry the request" }]],
  },
  kanidm: {
    options: { url, clientId: "app" },
    at: `${url}/oauth2/token`,
    sent: STD,
    granted: std,
    refused: [ERR, [400, { error: "invalid_request" }, "revoked"]],
    passing: [[500, ""]],
  },
  rauthy: {
    options: { url, clientId: "app" },
    at: `${url}/auth/v1/oidc/token`,
    sent: STD,
    granted: std,
    refused: [[404, { timestamp: 1, error: "NotFound", message: "Refresh Token" }, "revoked"]],
    passing: [[403, "<!doctype html>blocked"], [429, "<html>"]],
  },
  casdoor: {
    options: { url, clientId: "app" },
    at: `${url}/api/login/oauth/refresh_token`,
    sent: STD,
    granted: std,
    refused: [ERR, [200, { status: "error", msg: "The user: a/b doesn't exist" }, "revoked"]],
    passing: [[200, { status: "error", msg: "dial tcp: connection refused" }]],
  },
  fusionauth: {
    options: { url },
    at: `${url}/api/jwt/refresh`,
    sent: { refreshToken: "refresh-1" },
    granted: (token) => ({ token, refreshToken: "r2", refreshTokenId: "1" }),
    refused: [[401, "", "revoked"]],
    passing: [[500, ""]],
  },
  supertokens: {
    options: { url: `${url}/auth` },
    at: `${url}/auth/session/refresh`,
    sent: "",
    headers: { rid: "session" },
    granted: () =>
      Response.json({}, { headers: { "front-token": btoa(JSON.stringify({ ate: Date.now() + 300_000 })) } }),
    cookies: true,
    refused: [
      [401, { message: "unauthorised" }, "revoked"],
      [401, { message: "token theft detected" }, "reuse"],
    ],
    passing: [[500, ""]],
  },
  directus: {
    options: { url },
    at: `${url}/auth/refresh`,
    sent: { refresh_token: "refresh-1", mode: "json" },
    granted: (token) => ({ data: { access_token: token, refresh_token: "r2", expires: 300_000 } }),
    refused: ["INVALID_CREDENTIALS", "USER_SUSPENDED"].map((code) => [
      401, { errors: [{ message: "", extensions: { code } }] }, "revoked",
    ]),
    passing: [[503, { errors: [{ message: "", extensions: { code: "SERVICE_UNAVAILABLE" } }] }]],
  },
  strapi: {
    options: { url },
    at: `${url}/api/auth/refresh`,
    sent: { refreshToken: "refresh-1" },
    granted: (token) => ({ jwt: token, refreshToken: "r2" }),
    refused: [[401, { data: null, error: { status: 401, name: "UnauthorizedError", message: "" } }, "revoked"]],
    passing: [[404, { data: null, error: { status: 404, name: "NotFoundError", message: "" } }]],
  },
  pocketbase: {
    options: { url },
    at: `${url}/api/collections/users/auth-refresh`,
    sent: "",
    granted: (token) => ({ token, record: { id: "1" } }),
    refused: [
      [401, { status: 401, message: "", data: {} }, "revoked"],
      [404, { status: 404, message: "", data: {} }, "revoked"],
      [404, { code: 404, message: "", data: {} }, "revoked"],
    ],
    passing: [[429, { status: 429, message: "", data: {} }]],
  },
  appwrite: {
    options: { url: `${url}/v1`, project: "p" },
    at: `${url}/v1/account/jwts`,
    sent: "",
    headers: { "x-appwrite-project": "p" },
    granted: (token) => Response.json({ jwt: token }, { status: 201 }),
    refused: [[404, { type: "user_session_not_found", code: 404, message: "" }, "revoked"], [401, {}, "revoked"]],
    passing: [[429, ""]],
  },
  nhost: {
    options: { url },
    at: `${url}/v1/token`,
    sent: { refreshToken: "refresh-1" },
    granted: (token) => ({ accessToken: token, accessTokenExpiresIn: 300, refreshToken: "r2", refreshTokenId: "1", user: {} }),
    refused: [
      [401, { status: 401, message: "", error: "invalid-refresh-token" }, "revoked"],
      [400, { status: 400, message: "", error: "invalid-request" }, "revoked"],
    ],
    passing: [[429, ""]],
  },
  simplejwt: {
    options: { url },
    at: `${url}/`,
    sent: { refresh: "refresh-1" },
    granted: (token) => ({ access: token, refresh: "r2" }),
    refused: [
      [401, { detail: "Token is blacklisted", code: "token_not_valid" }, "revoked"],
      [400, { refresh: ["This field may not be blank."] }, "revoked"],
    ],
    passing: [[429, { detail: "Request was throttled." }]],
  },
  djRestAuth: {
    options: { url },
    at: `${url}/`,
    sent: "",
    granted: (token) => ({ access: token, access_expiration: "2030-01-01T00:05:00Z" }),
    refused: [[401, { detail: "", code: "token_not_valid" }, "revoked"]],
    passing: [[500, ""]],
  },
  aspnetIdentity: {
    options: { url },
    at: `${url}/`,
    sent: { refreshToken: "refresh-1" },
    granted: () => ({ tokenType: "Bearer", accessToken: "CfDJ8opaque", expiresIn: 300, refreshToken: "CfDJ8" }),
    refused: [[401, "", "revoked"]],
    passing: [[500, ""]],
  },
  loopback: {
    options: { url },
    at: `${url}/`,
    sent: { refreshToken: "refresh-1" },
    granted: (token) => ({ accessToken: token }),
    refused: [[401, { error: { statusCode: 401, name: "UnauthorizedError", message: "" } }, "revoked"]],
    passing: [[500, ""]],
  },
  jwtAuth: {
    options: { url },
    at: `${url}/`,
    sent: "",
    granted: (token) => ({ access_token: token, token_type: "bearer", expires_in: 300 }),
    refused: [[401, { message: "Unauthenticated." }, "revoked"]],
    passing: [[500, ""]],
  },
  betterAuth: {
    options: { url },
    at: `${url}/`,
    method: "GET",
    sent: "",
    granted: (token) => ({ token }),
    refused: [[401, "", "revoked"], [200, null, "revoked"]],
    passing: [[500, ""]],
  },
  authjs: {
    options: { url },
    at: `${url}/`,
    method: "GET",
    sent: "",
    granted: () => ({ user: { name: "Ana" }, expires: "2030-02-01T00:00:00.000Z", expires_in: 300 }),
    cookies: true,
    refused: [[200, null, "revoked"]],
    passing: [[500, "<html>"]],
  },
  lexik: {
    options: { url },
    at: `${url}/`,
    sent: { refresh_token: "refresh-1" },
    granted: (token) => ({ token, refresh_token: "r2" }),
    refused: [[401, { code: 401, message: "JWT Refresh Token Not Found" }, "revoked"]],
    passing: [[429, ""]],
  },
  rodauth: {
    options: { url },
    at: `${url}/`,
    sent: { refresh_token: "refresh-1" },
    headers: { authorization: /^Bearer e/ },
    granted: (token) => ({ access_token: token, refresh_token: "r2" }),
    refused: [
      [400, { error: "invalid JWT refresh token" }, "revoked"],
      [400, { error: "expired JWT access token" }, "revoked"],
      [401, { error: "Please login to continue" }, "revoked"],
    ],
    passing: [
      [400, { error: "invalid JSON" }],
      [401, "<html>"],
      [500, ""],
    ],
  },
  flaskJwt: {
    options: { url },
    at: `${url}/`,
    sent: "",
    headers: { authorization: /^Bearer refresh-1$/ },
    granted: (token) => ({ access_token: token }),
    refused: [
      [401, { msg: "Token has been revoked" }, "revoked"],
      [401, { msg: "Token has expired" }, "revoked"],
      [422, { msg: "Signature verification failed" }, "revoked"],
    ],
    passing: [
      [401, "<html>"],
      [422, ""],
      [500, { msg: "" }],
    ],
  },
  authlib: {
    options: { url, clientId: "app" },
    at: `${url}/`,
    sent: STD,
    granted: std,
    refused: [ERR, [400, { error: "invalid_request" }, "revoked"]],
    passing: [[500, ""]],
  },
  expressBoilerplate: {
    options: { url },
    at: `${url}/`,
    sent: { refreshToken: "refresh-1" },
    granted: (token) => ({ access: { token, expires: "" }, refresh: { token: "r2", expires: "" } }),
    refused: [[401, { code: 401, message: "Please authenticate" }, "revoked"]],
    passing: [[500, { code: 500, message: "" }]],
  },
};

const respond = (status, body) =>
  new Response(typeof body === "string" ? body : JSON.stringify(body), { status });

/** One refresh with this answer: what was sent, and how the session stands. */
async function once(t, name, answer) {
  let sent;
  const fetch = async (input, init) => {
    sent = new Request(input, init);
    return answer();
  };
  const w = world(t, { refresh: presets[name](table[name].options), fetch });
  const iat = Date.now() / 1_000;
  w.session.start({ accessToken: jwt({ sub: "ana", iat, exp: iat + 60 }), refreshToken: "refresh-1", expiresIn: 60 });
  const error = await w.session.refresh().then(() => undefined, (error) => error);
  const { snapshot } = w.session;
  w.session.dispose();
  t.mock.timers.reset();
  t.mock.restoreAll();
  return { sent, error, ...snapshot };
}

test("every preset is in the table", () => {
  assert.deepEqual(Object.keys(presets).sort(), Object.keys(table).sort());
  assert.ok(Object.keys(presets).length >= 20);
});

test("the page for Rust front ends names what each preset sets", () => {
  const page = readFileSync(new URL("../../docs/rust-front-ends.md", import.meta.url), "utf8");
  const section = page.slice(page.indexOf("## What replaces a preset"));
  const styles = { json: "Style::Json", cookie: "Style::Cookie", renew: "Style::Renew", cookies: ".cookies()" };
  const [, named] = section.match(/^(`.+`) want a secret/m);
  const secret = [...named.matchAll(/`(\w+)`/g)].map(([, name]) => name);
  for (const name of secret) assert.ok(name in presets, name);
  for (const name of Object.keys(presets)) {
    const { clientSecret, ...options } = table[name].options;
    const row = section.match(new RegExp(`^\\| \`${name}\` .*$`, "m"))?.[0];
    if (secret.includes(name)) {
      assert.equal(row, undefined, `${name} cannot be called from a page`);
      continue;
    }
    const endpoint = presets[name](options);
    const says = (text, does) => assert.equal(row.includes(text), Boolean(does), `${name}: ${text}`);
    says(".refresh(f)", typeof endpoint === "function");
    if (typeof endpoint === "function") continue;
    for (const [style, text] of Object.entries(styles)) says(text, endpoint.style === style);
    says(".method(Method::Get)", endpoint.method === "GET");
    says(".params", typeof endpoint.params === "function");
    says("`tokens`", endpoint.tokens);
    assert.equal(/`(Revoked|Reuse|Transient)`/.test(row), Boolean(endpoint.classify), `${name}: classify`);
    says("Carrier::Off", endpoint.rotationKey === "off");
    says("client_id", endpoint.clientId);
    says("revoke_url", endpoint.revokeUrl);
    for (const header of Object.keys(endpoint.headers ?? {})) says(header, true);
  }
});

for (const [name, row] of Object.entries(table)) {
  test(`${name}: the request, and a success`, async (t) => {
    let started;
    const answer = () => {
      started = Date.now();
      const iat = Math.floor(started / 1_000);
      const said = row.granted(jwt({ sub: "ana", iat, exp: iat + 300, jti: "2" }));
      return said instanceof Response ? said : Response.json(said);
    };
    const { sent, error, status, expiresAt } = await once(t, name, answer);
    assert.equal(error, undefined);
    assert.equal(status, "active");
    assert.equal(expiresAt - started, (row.lifetime ?? 300) * 1_000);
    assert.equal(sent.url, row.at);
    assert.equal(sent.method, row.method ?? "POST");
    for (const [header, value] of Object.entries(row.headers ?? {})) {
      if (value instanceof RegExp) assert.match(sent.headers.get(header), value);
      else assert.equal(sent.headers.get(header), value);
    }
    const body = await sent.text();
    const json = sent.headers.get("content-type")?.includes("json");
    const { rotation_key, ...fields } =
      typeof row.sent === "string" ? {} : json ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body));
    if (json) assert.equal(rotation_key, undefined, "strict services refuse what they do not know");
    if (typeof row.sent === "string") assert.equal(body, row.sent);
    else assert.deepEqual(fields, row.sent);
  });

  for (const [status, body, reason] of row.refused) {
    test(`${name}: ${status} ${JSON.stringify(body)} is a refusal`, async (t) => {
      const found = await once(t, name, () => respond(status, body));
      assert.deepEqual([found.status, found.reason], ["signed-out", reason]);
    });
  }

  for (const [status, body] of row.passing) {
    test(`${name}: ${status} ${JSON.stringify(body)} passes`, async (t) => {
      const found = await once(t, name, () => respond(status, body));
      assert.equal(found.status, "active");
      assert.equal(found.error.retryable, true);
    });
  }
}

for (const name of ["rodauth", "flaskJwt"]) {
  test(`${name} follows no redirect, and sends nothing without the token that it needs`, async (t) => {
    const { sent } = await once(t, name, () => respond(307, ""));
    assert.equal(sent.redirect, "manual");
    const asked = [];
    const request = { signal: AbortSignal.timeout(1_000), fetch: async (...given) => asked.push(given) };
    await assert.rejects(presets[name]({ url })(request), /holds no token/);
    assert.deepEqual(asked, []);
  });
}

test("what a proxy answers in the place of a service ends no session", async (t) => {
  const page = "<!doctype html><title>404 Not Found</title>";
  const ended = [];
  for (const name of Object.keys(table)) {
    for (const status of [404, 422]) {
      for (const body of [page, { status, message: "Not Found" }, { ok: false, errors: { url: ["unknown"] } }]) {
        const found = await once(t, name, () => respond(status, body));
        if (found.status !== "active") ended.push(`${name}: ${status} ${JSON.stringify(body)}`);
      }
    }
  }
  assert.deepEqual(ended, []);
});

test("whatever a service answers, a preset throws nothing that ends a session", async (t) => {
  for (const name of Object.keys(table)) {
    for (const body of ["", "null", "[]", "1", '"text"', '{"errors":1,"error":[],"data":null}']) {
      const { status } = await once(t, name, () => respond(503, body));
      assert.equal(status, "active", `${name} ${body}`);
    }
  }
});
