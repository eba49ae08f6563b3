// What a browser meets that is too old: dist/supported.js, run in realms that lack something.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";

import { transform } from "esbuild";

import { world } from "./world.mjs";

const CODE = readFileSync(new URL("../dist/supported.js", import.meta.url), "utf8");
const [, ...OLDEST] = /oldest are Chrome (\d+), Firefox (\d+) and Safari ([\d.]+)/.exec(
  readFileSync(new URL("../../docs/browsers.md", import.meta.url), "utf8"),
);

/** Runs it where some of the platform is missing; gives what it threw, as a page's `onerror` hears it. */
function thrown(globals = {}, without = "") {
  const realm = createContext({ structuredClone, ...globals });
  runInContext(without, realm);
  try {
    runInContext(CODE, realm);
  } catch (error) {
    return error;
  }
  return undefined;
}

const NO_CLONE = "delete globalThis.structuredClone";
const NO_LOOKBEHIND = `
  const Before = RegExp;
  globalThis.RegExp = function (source) {
    if (source.includes("(?<=")) throw new SyntaxError("Invalid regular expression: invalid group specifier name");
    return new Before(source);
  };`;

test("a browser that can run the package hears nothing, and nothing is left in it", () => {
  const globals = createContext({ structuredClone });
  runInContext(CODE, globals);
  assert.deepEqual(Object.keys(globals), ["structuredClone"]);
});

test("one that is too old gets an error with a code, what is missing, the oldest browsers and the remedy", () => {
  for (const [without, missing] of [[NO_CLONE, "structuredClone"], [NO_LOOKBEHIND, "lookbehind"]]) {
    const { name, code, fault, retryable, message } = thrown({}, without);
    assert.deepEqual(
      { name, code, fault, retryable },
      { name: "UnsupportedBrowserError", code: "ERR_UNSUPPORTED_BROWSER", fault: "environment", retryable: false },
    );
    const [chrome, firefox, safari] = OLDEST;
    assert.match(message, new RegExp(`lacks ${missing}.*Chrome ${chrome}, Firefox ${firefox}, Safari ${safari} or newer`));
    assert.match(message, /update the browser$/);
  }
});

/** As much of a document as it touches. */
function page(attributes, body) {
  const shown = [];
  const listeners = {};
  const element = () => {
    const made = { attributes: {}, text: "" };
    made.setAttribute = (name, value) => (made.attributes[name] = value);
    made.appendChild = (text) => (made.text += text);
    return made;
  };
  const node = { firstChild: null, insertBefore: (line) => shown.push(line) };
  const script = { getAttribute: (name) => attributes[name] ?? null };
  const document = { scripts: [script], body: body ? node : null, createElement: element };
  document.createTextNode = (text) => text;
  document.addEventListener = (type, listener) => (listeners[type] = listener);
  const load = () => {
    document.body = node;
    listeners.DOMContentLoaded?.();
  };
  return { document, shown, load };
}

test("its user reads the notice, as text, as soon as there is a body", () => {
  const notice = "Please <b>update</b> your browser.";
  for (const body of [true, false]) {
    const { document, shown, load } = page({ "data-notice": notice }, body);
    assert.equal(thrown({ document }, NO_CLONE).code, "ERR_UNSUPPORTED_BROWSER");
    load();
    assert.deepEqual(shown.map(({ text, attributes }) => [text, attributes.role]), [[notice, "alert"]]);
  }
  const { document, shown, load } = page({}, false);
  assert.equal(thrown({ document }, NO_CLONE).code, "ERR_UNSUPPORTED_BROWSER");
  load();
  assert.deepEqual(shown, [], "without a notice it says it to the console alone");
});

test("it is written in what every browser reads", async () => {
  const options = { target: "es5", charset: "ascii" };
  assert.equal((await transform(CODE, options)).code, (await transform(CODE, { charset: "ascii" })).code);
});

test("where the package can be read it works: without AbortSignal's throwIfAborted and reason too", async (t) => {
  const { prototype } = AbortSignal;
  for (const name of ["throwIfAborted", "reason"]) {
    const before = Object.getOwnPropertyDescriptor(prototype, name);
    delete prototype[name];
    t.after(() => Object.defineProperty(prototype, name, before));
  }
  // The test's own transport would use them.
  const fetch = async (url) => (String(url).endsWith("/token") ? hang : new Response("fine"));
  const hang = new Promise(() => {});
  const w = world(t, { fetch });
  await w.start();
  const impatient = new AbortController();
  assert.equal(await (await w.session.fetch("https://api.test/1", { signal: impatient.signal })).text(), "fine");
  await w.advance(299);
  const waiting = w.session.getAccessToken({ minValiditySeconds: 60, signal: impatient.signal });
  await Promise.resolve();
  impatient.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  const late = w.session.getAccessToken({ signal: impatient.signal });
  await assert.rejects(late, { name: "AbortError" });
});
