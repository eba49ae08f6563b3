import assert from "node:assert/strict";
import { test } from "node:test";

import { createSession, InvalidOptionError, isSessionError, SessionError } from "../dist/inline.js";

const refresh = "/oauth/token";

/** The message of the error that these options cause. */
function refusal(options) {
  let message;
  assert.throws(
    () => createSession(options),
    (error) => {
      assert.ok(error instanceof InvalidOptionError && error instanceof SessionError);
      assert.equal(error.code, "ERR_INVALID_OPTION");
      assert.equal(error.name, "InvalidOptionError");
      assert.equal(error.fault, "caller");
      assert.equal(error.retryable, false);
      message = error.message;
      return true;
    },
  );
  return message;
}

const bad = {
  "a warning before the idle time": [
    { refresh, idleSeconds: 60, warnSeconds: 61 },
    /option warnSeconds cannot be 61: pass at most idleSeconds/,
  ],
  undefined: [undefined, /options .*undefined/],
  "no endpoint": [{}, /refresh cannot be undefined: pass the token endpoint's URL/],
  "null endpoint": [{ refresh: null }, /refresh cannot be null/],
  "empty URL": [{ refresh: "" }, /refresh\.url cannot be ""/],
  "URL without its scheme": [{ refresh: "localhost:8080/token" }, /refresh\.url cannot be "localhost:8080\/token": pass a URL/],
  "URL of a scheme that begins like it": [{ refresh: "httpx://a/token" }, /refresh\.url cannot be "httpx:.*pass a URL/],
  "URL that fetch refuses": [{ refresh: { url: "/t", revokeUrl: "https://u:p@a/end" } }, /refresh\.revokeUrl cannot be .*pass a URL without login/],
  "URL that is none": [{ refresh: "http://[" }, /refresh\.url cannot be "http:.*pass a URL/],
  "endpoint without URL": [{ refresh: { style: "json" } }, /refresh\.url cannot be undefined/],
  "unknown style": [{ refresh: { url: "/t", style: "xml" } }, /refresh\.style .*"oauth2"/],
  "header that is no text": [
    { refresh: { url: "/t", headers: { a: 1 } } },
    /refresh\.headers\.a cannot be 1/,
  ],
  "header that HTTP cannot carry": [
    { refresh: { url: "/t", headers: { "X-Name": "\u682a" } } },
    /refresh\.headers cannot be an object: .*HTTP/,
  ],
  "misspelt endpoint field": [
    { refresh: { url: "/t", revokeURL: "/r" } },
    /refresh\.revokeURL does not exist: .*revokeUrl/,
  ],
  "unknown option": [{ refresh, leadSecond: 1 }, /leadSecond .*known are/],
  "null lead": [{ refresh, leadSeconds: null }, /leadSeconds cannot be null: pass seconds/],
  "negative lead": [{ refresh, leadSeconds: -1 }, /leadSeconds cannot be -1/],
  "infinite lead": [{ refresh, leadSeconds: Infinity }, /leadSeconds cannot be Infinity/],
  "text as number": [{ refresh, jitterSeconds: "5" }, /jitterSeconds cannot be "5"/],
  "NaN timeout": [{ refresh, timeoutSeconds: NaN }, /timeoutSeconds cannot be NaN/],
  "no timeout": [{ refresh, timeoutSeconds: 0 }, /timeoutSeconds cannot be 0: .*more than 0/],
  "no idle time": [{ refresh, idleSeconds: 0 }, /idleSeconds cannot be 0/],
  "idle mode": [{ refresh, idleMode: "logout" }, /idleMode cannot be "logout"/],
  "empty name": [{ refresh, name: "" }, /name cannot be ""/],
  "activity events": [{ refresh, activityEvents: [1] }, /activityEvents\[0\] cannot be 1/],
  "origin with a path": [{ refresh, origins: ["https://a.test/x"] }, /origins\[0\] .*origin/],
  "origin of another scheme": [{ refresh, origins: ["ftp://a.test"] }, /origins\[0\]/],
  "origin that is none": [{ refresh, origins: ["a.test"] }, /origins\[0\] cannot be "a\.test"/],
  "null origins": [{ refresh, origins: null }, /origins cannot be null: pass an array/],
  "unknown storage": [{ refresh, storage: "disk" }, /storage cannot be "disk"/],
  "storage without methods": [{ refresh, storage: { get() {} } }, /methods get, set, remove/],
  "header name": [{ refresh, renewalHeader: "X JWT" }, /renewalHeader cannot be "X JWT"/],
  "logger without methods": [{ refresh, logger: {} }, /logger cannot be an object/],
  "fetch that is none": [{ refresh, fetch: "fetch" }, /fetch cannot be "fetch": pass a function/],
};

test("a host without its scheme and its port is taken for a path of the page", () => {
  createSession({ refresh: "api.example.com/token", name: "path" }).dispose();
});

for (const [name, [options, message]] of Object.entries(bad)) {
  test(`refuses: ${name}`, () => assert.match(refusal(options), message));
}

test("an event that there is not is refused", (t) => {
  const session = createSession({ refresh, name: "misspelt" });
  t.after(() => session.dispose());
  assert.throws(() => session.on("refreshd", () => {}), (error) => {
    assert.equal(error.code, "ERR_INVALID_OPTION");
    assert.match(error.message, /"refreshd": pass one of "started", "refreshed", /);
    return true;
  });
  assert.throws(() => session.on(1n, () => {}), { code: "ERR_INVALID_OPTION" });
});

test("a URL that is changed later changes nothing", async (t) => {
  const url = new URL("https://auth.test/token");
  let asked;
  const fetch = async (input) => {
    asked = String(input);
    return new Response(null, { status: 503 });
  };
  const endpoint = { url, style: "cookie" };
  const session = createSession({ refresh: endpoint, fetch, name: "url", waitSeconds: 1 });
  t.after(() => session.dispose());
  url.pathname = "/elsewhere";
  await session.restore();
  assert.equal(asked, "https://auth.test/token");
});

test("a misplaced token is not told", () => {
  assert.doesNotMatch(refusal({ refresh, accessToken: "secret-token" }), /secret/);
});

test("options that refer to themselves are fine", () => {
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  logger.self = logger;
  createSession({ refresh, name: "circular", logger }).dispose();
});

test("accepts what the documentation allows, and does nothing with it", () => {
  const untouched = () => assert.fail("creating a session is inert");
  const session = createSession({
    refresh: { url: new URL("https://auth.test/t"), style: "cookie", rotationKey: "off" },
    name: "inert",
    leadSeconds: () => 5,
    jitterSeconds: 0,
    minIntervalSeconds: 0,
    warnSeconds: 0,
    idleSeconds: Infinity,
    maxSessionSeconds: Infinity,
    waitSeconds: Infinity,
    origins: ["https://a.test", "https://a.test:8443/", new URL("http://localhost:3000")],
    storage: { get: untouched, set: untouched, remove: untouched },
    fetch: untouched,
    logger: console,
    isUnauthorized: undefined,
  });
  assert.equal(session.snapshot.status, "unknown");
  assert.ok(Object.isFrozen(session.snapshot));
  session.dispose();
});

test("errors of other copies and realms are known by what they are", () => {
  assert.ok(isSessionError(new InvalidOptionError("x")));
  assert.ok(isSessionError({ code: "ERR_DISPOSED", fault: "caller" }));
  for (const other of [null, undefined, "ERR_DISPOSED", new Error("x"), { code: "ENOENT" }]) {
    assert.ok(!isSessionError(other));
  }
});

test("a short idle time needs no other warning, and a warning may be as long as it", () => {
  createSession({ refresh, name: "short", idleSeconds: 30 }).dispose();
  createSession({ refresh, name: "short", idleSeconds: 30, warnSeconds: 30 }).dispose();
  createSession({ refresh, name: "short", idleSeconds: Infinity, warnSeconds: 90 }).dispose();
});

test("a log line without details ends with its words", async () => {
  const lines = [];
  const log = (...line) => lines.push(line);
  const logger = { debug: log, info: log, warn: log, error: log };
  const session = createSession({ refresh: async () => "", name: "lines", logger });
  await assert.rejects(session.refresh());
  session.start({ access_token: "opaque", expires_in: 300 });
  session.dispose();
  assert.ok(lines.length > 1);
  for (const line of lines) assert.notEqual(line.at(-1), undefined, line[0]);
});
