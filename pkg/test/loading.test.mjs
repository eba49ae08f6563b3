import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

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

test("a page that forbids WebAssembly is told which directive to change", async (t) => {
  served(t);
  const forbid = () => {
    throw new WebAssembly.CompileError("Refused to compile or instantiate WebAssembly module");
  };
  t.mock.method(WebAssembly, "compile", async () => forbid());
  t.mock.method(WebAssembly, "Module", forbid);
  for (const name of ["url", "inline", "node"]) {
    const { createSession } = await entry(name);
    const session = createSession({ ...options, name });
    await assert.rejects(session.restore(), (error) => {
      assert.equal(error.code, "ERR_WASM_BLOCKED");
      assert.equal(error.fault, "environment");
      return error.message.includes("'wasm-unsafe-eval'");
    });
    session.dispose();
  }
});

test("what a page that forbids WebAssembly refused does not happen later", async (t) => {
  const forbid = t.mock.method(WebAssembly, "Module", () => {
    throw new WebAssembly.CompileError("Refused to compile or instantiate WebAssembly module");
  });
  const { createSession } = await entry("inline");
  const session = createSession({ ...options, idleSeconds: 60 });
  t.after(() => session.dispose());
  assert.throws(() => session.hold(), { code: "ERR_WASM_BLOCKED" });
  forbid.mock.restore();
  session.start(jwt({ sub: "ana", exp: soon() }));
  assert.notEqual(session.snapshot.idleAt, null, "nothing is held");
});

test("init takes a module, bytes or a URL", async (t) => {
  const count = served(t);
  const token = jwt({ sub: "ana", exp: 1 });
  for (const source of [
    { module: new WebAssembly.Module(bytes) },
    { bytes },
    { bytes: new Uint8Array(bytes).buffer },
    { url: "https://cdn.test/everfresh.wasm" },
  ]) {
    const { init, decodeJwt } = await entry("ssr");
    assert.throws(() => decodeJwt(token), { code: "ERR_WASM_LOAD" });
    await assert.rejects(init(), { code: "ERR_WASM_LOAD" });
    await init(source);
    await init();
    assert.equal(decodeJwt(token).sub, "ana");
  }
  assert.equal(count(), 1);
});

test("entries with the wasm inside decode at once", async () => {
  for (const name of ["inline", "node"]) {
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
