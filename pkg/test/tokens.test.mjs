import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeJwt } from "../dist/inline.js";
import { jwt, world } from "./world.mjs";

const bad = {
  "an empty token": ["", "ERR_INVALID_TOKEN"],
  "no token": [undefined, "ERR_INVALID_TOKEN"],
  "null": [null, "ERR_INVALID_TOKEN"],
  "a number": [{ accessToken: 7 }, "ERR_INVALID_TOKEN"],
  "a line break": ["a\nb.c.d", "ERR_INVALID_TOKEN"],
  "a broken JWT": ["a.b.c", "ERR_INVALID_TOKEN"],
  "a token in quotes": [{ accessToken: '"opaque"', expiresIn: 60 }, "ERR_INVALID_TOKEN"],
  "a refresh token with a space": [{ accessToken: "a", refreshToken: "b c", expiresIn: 60 }, "ERR_INVALID_TOKEN"],
  "another type of token": [{ access_token: "a", token_type: "mac", expires_in: 60 }, "ERR_INVALID_TOKEN"],
  "a lifetime with a unit": [{ accessToken: "a", expiresIn: "5m" }, "ERR_INVALID_TOKEN"],
  "a lifetime that is an object": [{ accessToken: "a", expiresIn: { toString: 0 } }, "ERR_INVALID_TOKEN"],
  "a JWT without exp": [jwt({ sub: "ana" }), "ERR_NO_EXPIRY"],
  "an opaque token alone": ["opaque", "ERR_NO_EXPIRY"],
};

for (const [name, [tokens, code]] of Object.entries(bad)) {
  test(`start refuses ${name} and changes nothing`, (t) => {
    const { session } = world(t);
    const before = session.snapshot;
    assert.throws(
      () => session.start(tokens),
      (error) => error.code === code && !error.message.includes(String(tokens) || "\0"),
    );
    assert.equal(session.snapshot, before);
  });
}

test("start takes a JWT, a token set or a token response", async (t) => {
  const { session } = world(t);
  const exp = Date.now() / 1_000 + 60;
  for (const tokens of [
    jwt({ sub: "ana", exp }),
    { accessToken: "opaque", expiresIn: 60 },
    { access_token: "opaque-2", expires_in: 60, token_type: "Bearer" },
    { access_token: "opaque-3", expires_in: "60" },
    { accessToken: "Bearer opaque-4", expiresAt: exp, refreshToken: "" },
    { access_token: "opaque-5", expires_at: exp * 1_000, token_type: null },
    jwt({ sub: 42, exp: String(exp) }),
    { accessToken: "opaque-3", expiresIn: 60 },
  ]) {
    session.start(tokens);
    assert.equal(session.snapshot.status, "active");
    assert.equal(session.snapshot.expiresAt, exp * 1_000);
  }
  assert.equal(await session.getAccessToken(), "opaque-3");
});

test("decodeJwt decodes and freezes", () => {
  const claims = decodeJwt(jwt({ sub: "žofie", roles: [{ a: 1 }], exp: 5 }));
  assert.deepEqual(claims, { sub: "žofie", roles: [{ a: 1 }], exp: 5 });
  assert.ok(Object.isFrozen(claims) && Object.isFrozen(claims.roles[0]));
});

test("decodeJwt refuses what is no JWT", () => {
  const part = (bytes) => Buffer.from(bytes).toString("base64url");
  for (const token of [
    ...["", "a.b", "..", "e30.e30.e30.e30", "e30.e3 0.e30", "e30.e=30.e30", "e30.e30.e3+", 7],
    ...["e30.e31.e30", "e30.e30.e31", "e31.e30.e30", "e30.e30.abcde", undefined],
    `e30.${part([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])}.e30`,
    `e30.${part("\ufeff{}")}.e30`,
    `e30.${part(`{"deep":${"[".repeat(500_000)}`)}.e30`,
    `e30.${"A".repeat(1 << 20)}.e30`,
    ...[[1], null, 1, "text"].map(jwt),
  ]) {
    assert.throws(() => decodeJwt(token), { code: "ERR_INVALID_TOKEN" }, String(token).slice(0, 99));
  }
});

test("decodeJwt shows claims of any type and depth: it is no verifier", () => {
  for (const claims of [{ exp: "1" }, { iat: null }, { sub: 7 }, { sub: null }]) {
    assert.deepEqual(decodeJwt(jwt(claims)), claims);
  }
  const payload = `{"deep":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  const { deep } = decodeJwt(`e30.${Buffer.from(payload).toString("base64url")}.e30`);
  assert.ok(Object.isFrozen(deep[0][0][0]));
});

test("decodeJwt reads padding and the standard alphabet", () => {
  const payload = Buffer.from('{"sub":"a?b>","one":"???"}').toString("base64");
  assert.match(payload, /[+/=]/);
  assert.deepEqual(decodeJwt(`e30=.${payload}.e30`), { sub: "a?b>", one: "???" });
});

test("a token whose end nobody knows is used until a 401", async (t) => {
  const w = world(t);
  w.session.start({ accessToken: "opaque", refreshToken: "refresh" });
  assert.equal(w.session.snapshot.status, "active");
  assert.equal(w.session.snapshot.expiresAt, null);
  assert.equal(await w.session.getAccessToken(), "opaque");
});

test("a refresh token alone starts with one refresh", async (t) => {
  const w = world(t);
  w.session.start({ refreshToken: "refresh" });
  const token = await w.session.getAccessToken();
  assert.equal(w.refreshes.length, 1);
  assert.equal(decodeJwt(token).sub, "ana");
});

test("decodeJwt takes the last of members of the same name", () => {
  const payload = Buffer.from('{"exp":1,"\\u0065xp":2}').toString("base64url");
  assert.deepEqual(decodeJwt(`e30.${payload}.`), { exp: 2 });
});

test("a start reads its token once and carries it across once", async (t) => {
  const w = world(t);
  const tokens = w.issue();
  const payload = Buffer.from(tokens.access_token.split(".")[1], "base64url").toString();
  const parse = t.mock.method(JSON, "parse");
  // The first character of each text that is carried across.
  const crossing = t.mock.method(String.prototype, "charCodeAt");
  w.session.start(tokens);
  const crossings = crossing.mock.calls.filter(
    (call) => call.arguments[0] === 0 && String(call.this) === tokens.access_token,
  );
  assert.equal(crossings.length, 1);
  assert.equal(parse.mock.calls.filter((call) => call.arguments[0] === payload).length, 1);
  assert.equal(w.session.snapshot.claims.sub, "ana");
});
