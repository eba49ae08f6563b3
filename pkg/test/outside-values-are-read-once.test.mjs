import assert from "node:assert/strict";
import { test } from "node:test";

import { createSession, init } from "../dist/inline.js";
import { page } from "./page.mjs";
import { API, jwt, settle, TOKEN_URL, world } from "./world.mjs";

const EVIL = "https://evil.test/";

/** Every object inherits these until the test ends. */
function pollute(t, fields) {
  Object.assign(Object.prototype, fields);
  t.after(() => {
    for (const name in fields) delete Object.prototype[name];
  });
}

for (const [style, refresh] of [["an endpoint", TOKEN_URL], ["a function", () => jwt({ exp: 1 })]]) {
  test(`what every object inherits is no option of ${style}`, async (t) => {
    pollute(t, {
      revokeUrl: EVIL, url: EVIL, headers: { "X-Evil": "1" }, params: { evil: "1" }, clientId: "evil",
      origins: [EVIL], renewalHeader: "X-Evil", everywhere: true, minValiditySeconds: 1e6, style: "json",
      misspelt: 1, call: () => jwt({ exp: 9e9 }), wait: false, keepalive: true, accessToken: "evil",
    });
    const w = world(t, { refresh });
    await w.start();
    assert.equal(await w.session.getAccessToken({}), w.current);
    await w.session.fetch(EVIL);
    assert.equal(w.sent.at(-1)?.token, undefined);
    await w.session.refresh().catch(() => {});
    await w.session.signOut({});
    for (const { url, headers, body } of w.refreshes) {
      assert.equal(url, TOKEN_URL);
      assert.equal(headers.get("x-evil"), null);
      assert.doesNotMatch(String(body), /evil|everywhere/);
    }
    await init({});
  });
}

test("options that answer differently the second time are read once", async (t) => {
  const url = new URL(TOKEN_URL);
  const urls = [TOKEN_URL, EVIL];
  url.toString = () => urls.shift() ?? EVIL;
  const origin = new URL(API);
  const origins = [API, EVIL];
  origin.toString = () => origins.shift() ?? EVIL;
  const headers = { "X-A": "good" };
  const params = { scope: "good" };
  const w = world(t, { refresh: { url, headers, params }, origins: [origin] });
  headers["X-A"] = params.scope = "evil";
  await w.start();
  await w.session.refresh();
  const [{ url: asked, headers: sent, body }] = w.refreshes;
  assert.equal(asked, TOKEN_URL);
  assert.equal(sent.get("x-a"), "good");
  assert.match(String(body), /scope=good/);
  await w.session.fetch(`${API}/a`);
  await w.session.fetch(EVIL);
  assert.deepEqual(w.sent.map(({ token }) => token), [w.current, undefined]);
});

test("a page that changes its base moves neither the token endpoint nor the revocation", async (t) => {
  const asked = [];
  const { document } = page(t);
  const w = world(t, {
    refresh: { url: "/token", revokeUrl: "revoke" },
    origins: undefined,
    fetch: async (input) => {
      asked.push(String(input));
      return Response.json(w.issue());
    },
  });
  await w.start();
  document.baseURI = EVIL;
  await w.session.refresh();
  await w.session.signOut();
  assert.deepEqual(asked, ["https://app.test/token", "https://app.test/revoke"]);
});

test("an origin that can never match is refused by name", () => {
  const never = [
    ...["https://*.example.com", "https://a:b@example.com", "https://example.com/?a", "wss://example.com"],
    ...["null", "*", "", "example.com:443", "blob:https://example.com/1", 1, null, {}],
  ];
  for (const origin of never) {
    const create = () => createSession({ refresh: TOKEN_URL, origins: [API, origin] });
    assert.throws(create, { code: "ERR_INVALID_OPTION", message: /origins\[1\]/ }, String(origin));
  }
});

test("without a page a relative address is named at the first use, and where it fails", async (t) => {
  for (const [name, refresh] of [
    ["url", "/oauth/token"],
    ["revokeUrl", { url: TOKEN_URL, revokeUrl: "/revoke" }],
  ]) {
    const w = world(t, { refresh, fetch: undefined });
    await w.start();
    const message = new RegExp(`refresh\\.${name} .*no page.*whole URL`);
    const [{ level, message: said }] = w.logged.filter((line) => message.test(line.message));
    assert.equal(level, "error", said);
    await assert.rejects(w.session.refresh(), ({ code, cause }) => {
      assert.equal(cause.code, "ERR_INVALID_OPTION");
      assert.match(cause.message, message);
      return code === "ERR_REFRESH_UNAVAILABLE";
    });
    t.mock.timers.reset();
    t.mock.restoreAll();
  }
});

test("a transport of the application's may know what a relative address means", async (t) => {
  const asked = [];
  const fetch = async (input) => {
    asked.push(input);
    return new Response(null, { status: 503 });
  };
  const session = createSession({ refresh: { url: "/token", style: "cookie" }, fetch, name: "relative" });
  t.after(() => session.dispose());
  await session.restore();
  assert.deepEqual(asked, ["/token"]);
});

test("a 401 from an origin that was forgotten is explained once", async (t) => {
  page(t);
  const fetch = async (input) => {
    const response = new Response(null, { status: 401 });
    return Object.defineProperty(response, "url", { value: String(input) });
  };
  const w = world(t, { origins: undefined, fetch });
  await w.start();
  await w.session.fetch(`${API}/1`);
  await w.session.fetch(`${API}/2`);
  const said = w.logged.filter(({ message }) => message.includes("option origins"));
  assert.equal(said.length, 1);
  assert.match(said[0].message, /https:\/\/api\.test answered 401/);
});

test("on a server sessions without a name are never shared", async (t) => {
  const options = { refresh: TOKEN_URL, origins: [API] };
  const [ana, bob] = [createSession(options), createSession(options)];
  t.after(() => [ana, bob].forEach((session) => session.dispose()));
  const token = (sub) => jwt({ sub, exp: Date.now() / 1_000 + 300 });
  ana.start(token("ana"));
  await settle();
  assert.equal(bob.snapshot.status, "unknown");
  bob.start(token("bob"));
  await settle();
  assert.equal(ana.snapshot.subject, "ana");
  assert.equal(bob.snapshot.subject, "bob");
  await bob.signOut();
  assert.equal(ana.snapshot.status, "active");
});

test("in a page a session without a name is the default one", async (t) => {
  page(t);
  const [one, other] = [createSession({ refresh: "/t" }), createSession({ refresh: "/t" })];
  t.after(() => [one, other].forEach((session) => session.dispose()));
  one.start(jwt({ sub: "ana", exp: Date.now() / 1_000 + 300 }));
  assert.equal(other.snapshot.subject, "ana");
});

test("a storage of its own keeps a session without a name", async (t) => {
  const kept = new Map();
  const storage = {
    get: (key) => kept.get(key),
    set: (key, value) => kept.set(key, value),
    remove: (key) => kept.delete(key),
  };
  const open = () => createSession({ refresh: TOKEN_URL, origins: [API], storage });
  const before = open();
  before.start(jwt({ sub: "ana", exp: Math.floor(Date.now() / 1_000) + 300 }));
  await settle();
  before.dispose();
  const after = open();
  t.after(() => after.dispose());
  assert.equal((await after.restore()).subject, "ana");
});
