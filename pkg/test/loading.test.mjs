import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { put } from "./page.mjs";
import { jwt } from "./world.mjs";

const bytes = readFileSync(new URL("../dist/everfresh_bg.wasm", import.meta.url));
const soon = () => Date.now() / 1_000 + 300;

/** A fresh copy of an entry: nothing is loaded. */
let copies = 0;
const entry = (name) => import(`../dist/${name}.js?${++copies}`);

/** Serves the wasm to whoever fetches it; counts. */
function served(t, respond = () => new Response(bytes)) {
  const fetch = t.mock.method(globalThis, "fetch", async () => respond());
  return () => fetch.mock.callCount();
}

const options = { refresh: "/t", origins: ["https://api.test"] };

test("importing and creating load nothing; the first use does, once", async (t) => {
  const count = served(t);
  const { createSession } = await entry("url");
  const session = createSession(options);
  assert.equal(count(), 0);
  session.start(jwt({ sub: "ana", exp: soon() }));
  assert.equal(session.snapshot.status, "unknown", "queued");
  const token = await session.getAccessToken();
  assert.match(token, /^eyJ/);
  assert.equal(count(), 1);
  session.dispose();
});

test("requests before start go out without loading anything", async (t) => {
  const count = served(t);
  const { createSession } = await entry("url");
  const session = createSession({ ...options, fetch: async () => new Response("ok") });
  assert.equal(await (await session.fetch("https://api.test/")).text(), "ok");
  assert.equal(count(), 0);
  session.dispose();
});

test("a bad token in a queued start ends the session", async (t) => {
  served(t);
  const { createSession, init } = await entry("url");
  const session = createSession(options);
  session.start("garbage");
  await init();
  await Promise.resolve();
  const { status, reason, lastError } = session.snapshot;
  assert.deepEqual([status, reason], ["signed-out", "invalid-token"]);
  assert.equal(lastError.code, "ERR_NO_EXPIRY");
  assert.throws(() => session.start("garbage"), { code: "ERR_NO_EXPIRY" });
  session.dispose();
});

test("a failed load rejects with the remedy and is tried again", async (t) => {
  let broken = true;
  served(t, () => (broken ? new Response(null, { status: 404 }) : new Response(bytes)));
  const { createSession } = await entry("url");
  const session = createSession(options);
  session.start(jwt({ sub: "ana", exp: soon() }));
  await assert.rejects(session.getAccessToken(), (error) => {
    assert.equal(error.code, "ERR_WASM_LOAD");
    assert.match(error.message, /everfresh\/inline/);
    return error.retryable;
  });
  assert.equal(session.snapshot.lastError.code, "ERR_WASM_LOAD");
  broken = false;
  assert.match(await session.getAccessToken(), /^eyJ/, "the queued start was kept");
  session.dispose();
});

test("something else than wasm is a load error", async (t) => {
  served(t, () => new Response("<!doctype html>"));
  const { init } = await entry("url");
  await assert.rejects(init(), { code: "ERR_WASM_LOAD" });
});

/** Lets nothing be compiled, as a policy without 'wasm-unsafe-eval' does. */
function forbid(t) {
  const refuse = () => {
    throw new WebAssembly.CompileError("Refused to compile or instantiate WebAssembly module");
  };
  t.mock.method(WebAssembly, "compile", async () => refuse());
  t.mock.method(WebAssembly, "Module", refuse);
}

/** Signs in, heals a 401 and signs out again; gives the warnings about the engine on the way. */
async function live({ createSession }, name) {
  const warnings = [];
  const warn = (message) => message.includes("JavaScript") && warnings.push(message);
  const fresh = jwt({ sub: "ana", exp: soon(), jti: "fresh" });
  const session = createSession({
    name,
    origins: ["https://api.test"],
    refresh: async () => fresh,
    fetch: async (url, { headers }) =>
      new Response(null, { status: new Headers(headers).get("authorization") === `Bearer ${fresh}` ? 204 : 401 }),
    logger: { debug() {}, info() {}, warn, error: assert.fail },
  });
  session.start({ accessToken: jwt({ sub: "ana", exp: soon() }), refreshToken: "refresh" });
  assert.equal((await session.fetch("https://api.test/")).status, 204);
  assert.equal(session.snapshot.claims.jti, "fresh");
  await session.signOut();
  assert.equal(session.snapshot.reason, "signed-out");
  session.dispose();
  return warnings;
}

test("where WebAssembly is forbidden plain JavaScript stands in, said once", async (t) => {
  const count = served(t);
  forbid(t);
  for (const name of ["url", "inline", "rollup"]) {
    const copy = await entry(name);
    const warnings = await live(copy, name);
    assert.match(warnings[0], /^everfresh: .*plain JavaScript.*'wasm-unsafe-eval'/);
    assert.equal(warnings.length, 1);
    assert.deepEqual(await live(copy, `${name} again`), []);
  }
  assert.equal(count(), 0, "what could not be compiled was not fetched");
});

test("where there is no WebAssembly plain JavaScript stands in, said once", async (t) => {
  const count = served(t);
  put(t, { WebAssembly: undefined });
  for (const name of ["url", "inline", "rollup"]) {
    const warnings = await live(await entry(name), name);
    assert.match(warnings[0], /^everfresh: WebAssembly is missing/);
    assert.equal(warnings.length, 1);
  }
  assert.equal(count(), 0);
});

test("plain JavaScript that was asked for is not warned of", async (t) => {
  const compile = t.mock.method(WebAssembly, "Module");
  const copy = await entry("url");
  await copy.init({ engine: "js" });
  assert.deepEqual(await live(copy, "asked"), []);
  assert.deepEqual(await live(await entry("js"), "imported"), []);
  assert.equal(compile.mock.callCount(), 0);
});

test("the entry without WebAssembly decodes at once", async (t) => {
  put(t, { WebAssembly: undefined });
  const { decodeJwt } = await entry("js");
  assert.equal(decodeJwt(jwt({ sub: "ana" })).sub, "ana");
});

test("without WebAssembly and its stand-in the error names the directive to change", async (t) => {
  served(t);
  forbid(t);
  const folder = mkdtempSync(join(tmpdir(), "everfresh-"));
  t.after(() => rmSync(folder, { recursive: true }));
  copyFileSync(new URL("../dist/url.js", import.meta.url), join(folder, "url.mjs"));
  const { createSession, init } = await import(pathToFileURL(join(folder, "url.mjs")));
  const session = createSession(options);
  t.after(() => session.dispose());
  await assert.rejects(session.restore(), (error) => {
    assert.equal(error.code, "ERR_WASM_BLOCKED");
    assert.equal(error.fault, "environment");
    assert.match(error.message, /everfresh_js\.js/);
    return error.message.includes("'wasm-unsafe-eval'");
  });
  await assert.rejects(init({ engine: "js" }), { code: "ERR_WASM_BLOCKED" });
});

test("what was refused for want of an engine does not happen later", async (t) => {
  const { createSession, init } = await entry("url");
  await assert.rejects(init({ bytes: new Uint8Array(8) }), { code: "ERR_WASM_LOAD" });
  const session = createSession({ ...options, idleSeconds: 60 });
  t.after(() => session.dispose());
  assert.throws(() => session.hold(), { code: "ERR_WASM_LOAD" });
  await init({ bytes });
  session.start(jwt({ sub: "ana", exp: soon() }));
  assert.notEqual(session.snapshot.idleAt, null, "nothing is held");
});

test("a trap ends what waits with ERR_BUG and is told to the logger", async (t) => {
  const { Instance } = WebAssembly;
  let broken = false;
  const trap = () => {
    throw new WebAssembly.RuntimeError("unreachable");
  };
  t.mock.method(WebAssembly, "Instance", function (...given) {
    const { exports } = new Instance(...given);
    const wrap = ([name, value]) => [
      name,
      typeof value === "function" ? (...values) => (broken ? trap() : value(...values)) : value,
    ];
    return { exports: Object.fromEntries(Object.entries(exports).map(wrap)) };
  });
  const { createSession } = await entry("inline");
  const logged = [];
  const error = (message) => logged.push(message);
  const logger = { debug() {}, info() {}, warn() {}, error };
  const session = createSession({ ...options, refresh: () => new Promise(() => {}), logger });
  session.start({ accessToken: jwt({ sub: "ana", exp: soon() }), refreshToken: "refresh" });
  const waiting = session.refresh();
  broken = true;
  await assert.rejects(session.refresh(), { code: "ERR_BUG", fault: "bug" });
  await assert.rejects(waiting, { code: "ERR_BUG" });
  await assert.rejects(session.refresh(), { code: "ERR_BUG" });
  assert.equal(session.snapshot.lastError.code, "ERR_BUG");
  assert.deepEqual(logged, ["everfresh: the engine failed"]);
});

test("init takes a module, bytes or a URL", async (t) => {
  const asked = [];
  t.mock.method(globalThis, "fetch", async (url) => {
    asked.push(new URL(url).protocol);
    return new Response(bytes, { status: asked.at(-1) === "https:" ? 200 : 404 });
  });
  const token = jwt({ sub: "ana", exp: 1 });
  for (const source of [
    { module: new WebAssembly.Module(bytes) },
    { bytes },
    { bytes: new Uint8Array(bytes).buffer },
    { url: "https://cdn.test/everfresh.wasm" },
  ]) {
    const { init, decodeJwt } = await entry("url");
    assert.throws(() => decodeJwt(token), { code: "ERR_WASM_LOAD" });
    await assert.rejects(init(), { code: "ERR_WASM_LOAD" });
    await init(source);
    await init();
    assert.equal(decodeJwt(token).sub, "ana");
  }
  assert.deepEqual(asked, ["file:", "file:", "file:", "file:", "https:"]);
});

test("entries with the wasm inside decode at once", async () => {
  for (const name of ["inline", "rollup"]) {
    const { decodeJwt } = await entry(name);
    assert.equal(decodeJwt(jwt({ sub: "ana" })).sub, "ana");
  }
});

test("disposing while loading rejects what waits", async (t) => {
  served(t, () => new Promise(() => {}));
  const { createSession } = await entry("url");
  const session = createSession(options);
  const restoring = session.restore();
  session.dispose();
  await assert.rejects(restoring, { code: "ERR_DISPOSED" });
});
