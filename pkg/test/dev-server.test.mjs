// The development server keeps to what the companion server is held to, and to what it says itself.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, get, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { createSession } from "everfresh";
import { devServer, startDevServer } from "everfresh/dev-server";

import { clientOf, cookieExpectations, expectations } from "./token-service-expectations.mjs";

async function started(t, options) {
  const server = await startDevServer({ port: 0, ttl: 300, ...options });
  t.after(() => server.close());
  return { server, api: clientOf(server.url, `${server.url}/control`) };
}

for (const [name, holds] of Object.entries(expectations)) {
  test(name, async (t) => holds((await started(t)).api));
}
for (const [name, holds] of Object.entries(cookieExpectations)) {
  test(`in a cookie: ${name}`, async (t) =>
    holds((await started(t, { style: "cookie", origins: ["https://app.example"] })).api));
}

test("both tokens in cookies, and renewal", async (t) => {
  const { api } = await started(t, { style: "cookies" });
  const login = await api.login();
  const cookies = login.cookies.map((cookie) => cookie.split(";")[0]).join("; ");
  assert.deepEqual(Object.keys(login.body), ["expires_in"]);
  assert.equal((await api.get("/api/me", undefined, { Cookie: cookies })).status, 200);
  const next = await api.post("/auth/refresh", { headers: { Cookie: cookies, "X-Everfresh": "1" } });
  assert.equal(next.cookies.length, 2);

  const renewing = (await started(t, { style: "renew" })).api;
  const { access_token, refresh_token } = (await renewing.login()).body;
  assert.equal(refresh_token, undefined);
  const renewed = await renewing.post("/auth/renew", { token: access_token });
  assert.equal((await renewing.me(renewed.body.access_token)).status, 200);
});

test("JSON refreshes need no grant type in style json only", async (t) => {
  const { api } = await started(t, { style: "json" });
  const { refresh_token } = (await api.login()).body;
  assert.equal((await api.post("/oauth/token", { json: { refresh_token } })).status, 200);
  const strict = (await started(t)).api;
  const other = (await strict.login()).body;
  const answer = await strict.post("/oauth/token", { json: { refresh_token: other.refresh_token } });
  assert.equal(answer.status, 400);
});

test("only pages that were named may read, and control is not for foreign ones", async (t) => {
  const lines = [];
  const { api } = await started(t, { origins: ["http://localhost:5173"], log: (line) => lines.push(line) });
  const from = (Origin) => api.get("/api/me", undefined, { Origin });
  assert.equal((await from("http://localhost:5173")).header("Access-Control-Allow-Origin"), "http://localhost:5173");
  assert.equal((await from("http://localhost:5174")).header("Access-Control-Allow-Origin"), null);
  assert.match(lines[0], /--origin http:\/\/localhost:5174 allows it/);
  const preflight = await api.send("OPTIONS", "/oauth/token", { headers: { Origin: "http://localhost:5173" } });
  assert.equal(preflight.status, 204);
  assert.match(preflight.header("Access-Control-Allow-Headers"), /idempotency-key, x-everfresh/);
  const foreign = { headers: { Origin: "https://evil.example" }, json: { username: "demo" } };
  assert.equal((await api.post("/control/token", foreign)).status, 403);
  assert.match((await api.post("/control/token", { json: { username: "demo" } })).body.access_token, /^ey/);
});

for (const style of ["cookie", "cookies"]) {
  test(`style ${style}: control signs a page in with its cookie`, async (t) => {
    const { api } = await started(t, { style });
    const signedIn = await api.post("/control/token", { json: { username: "demo" } });
    assert.equal(signedIn.body.refresh_token, undefined);
    const Cookie = signedIn.cookies.map((cookie) => cookie.split(";")[0]).join("; ");
    assert.equal((await api.post("/auth/refresh", { headers: { Cookie, "X-Everfresh": "1" } })).status, 200);
  });
}

test("a name that leads here by a trick of DNS is refused", async (t) => {
  const { server } = await started(t);
  const status = await new Promise((done) =>
    get(`${server.url}/api/me`, { headers: { Host: "evil.example" } }, ({ statusCode }) => done(statusCode)),
  );
  assert.equal(status, 421);
});

test("a session refreshes against it, and a lost answer costs nothing", async (t) => {
  const { server } = await started(t);
  const session = createSession({
    refresh: { url: `${server.url}/oauth/token`, revokeUrl: `${server.url}/oauth/revoke` },
    origins: [server.url],
  });
  t.after(() => session.dispose());
  session.start(server.signIn());
  server.fault({ route: "POST /oauth/token", kind: "drop-after-commit" });
  await assert.rejects(session.refresh(), { code: "ERR_REFRESH_UNAVAILABLE" });
  await session.refresh();
  const response = await session.fetch(`${server.url}/api/orders?page=2`);
  assert.equal((await response.json()).path, "/api/orders?page=2");
  await session.signOut();
  assert.equal((await session.fetch(`${server.url}/api/me`)).status, 401);
});

test("sessions survive a restart, with the keys that signed them", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "everfresh-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const state = join(folder, "state.json");
  const first = await started(t, { state });
  const { access_token, refresh_token } = (await first.api.login()).body;
  first.server.close();
  const second = await started(t, { state });
  assert.equal((await second.api.me(access_token)).status, 200);
  assert.equal((await second.api.refresh(refresh_token)).status, 200);
});

test("as a middleware it takes what is its own and leaves the page alone", async (t) => {
  let handle;
  devServer({ ttl: 300 }).configureServer({ middlewares: { use: (given) => (handle = given) } });
  const vite = createServer((request, response) => handle(request, response, () => response.end("the page")));
  await new Promise((done) => vite.listen(0, "127.0.0.1", done));
  t.after(() => (vite.closeAllConnections(), vite.close()));
  const url = `http://127.0.0.1:${vite.address().port}`;
  assert.equal(await (await fetch(`${url}/orders`)).text(), "the page");
  assert.equal((await clientOf(url).login()).status, 200);
  assert.match(await (await fetch(`${url}/login`)).text(), /<form>/);
});

test("the program says where it is and how a session is made, and refuses what it does not know", async (t) => {
  const program = fileURLToPath(new URL("../dist/dev-server-program.js", import.meta.url));
  const run = (...flags) => {
    const child = spawn(process.execPath, [program, ...flags], { cwd: tmpdir() });
    t.after(() => child.kill());
    return child;
  };
  const child = run("--port", "0", "--fresh", "--style", "cookie", "--origin", "http://localhost:5173");
  const said = await new Promise((done) => child.stdout.once("data", (data) => done(String(data))));
  const url = /at (http:\S+),/.exec(said)[1];
  assert.ok(said.includes(`createSession({ refresh: { url: "${url}/auth/refresh", style: "cookie"`), said);
  assert.equal((await clientOf(url).login()).status, 200);
  const bad = run("--style", "xml");
  const error = await new Promise((done) => bad.stderr.once("data", (data) => done(String(data))));
  assert.match(error, /--style must be one of/);
});

test("files of a folder are given beside the service, and nothing beyond them", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "everfresh-"));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "page"));
  for (const [name, text] of Object.entries({
    "index.html": "home", "app.js": "code", "page/index.html": "page", ".env": "secret",
  })) {
    writeFileSync(join(folder, name), text);
  }
  const { server, api } = await started(t, { serve: join(folder, "page/..") });
  const given = async (path, options = {}) => {
    // Not fetch, which tidies paths.
    const asked = request(server.url, { path, ...options }).end();
    const [answer] = await once(asked, "response");
    let text = "";
    for await (const part of answer) text += part;
    return [answer.statusCode, answer.headers["content-type"], text];
  };
  assert.deepEqual(await given("/"), [200, "text/html; charset=utf-8", "home"]);
  assert.deepEqual(await given("/app.js?1"), [200, "text/javascript", "code"]);
  assert.deepEqual(await given("/app.js", { method: "HEAD" }), [200, "text/javascript", ""]);
  assert.deepEqual(await given("/page/"), [200, "text/html; charset=utf-8", "page"]);
  for (const path of [
    "/.env", "/%2eenv", "/page/../.env", "/page/..%2f.env", "/..\\.env", "/page", "/nothing", "/%", "/a%00",
  ]) {
    assert.equal((await given(path))[0], 404, path);
  }
  assert.equal((await given("/app.js", { method: "POST" }))[0], 404);
  assert.equal((await given("/app.js", { headers: { Host: "evil.example" } }))[0], 404);
  assert.equal((await api.login()).status, 200);
});
