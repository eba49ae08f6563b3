import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { page } from "./page.mjs";
import { API, settle, TOKEN_URL, world } from "./world.mjs";

/** What a refresh in a page of https://app.test rejects with. */
async function failure(t, answer, refresh = TOKEN_URL) {
  page(t);
  const w = world(t, { origins: [API], refresh });
  w.auth = answer;
  await w.start();
  const error = await w.session.refresh().catch((error) => error);
  await settle();
  return { error, w };
}

test("a refusal names its status and its word", async (t) => {
  const { error } = await failure(t, () => Response.json({ error: "invalid_grant" }, { status: 400 }));
  assert.match(error.message, /answered 400 invalid_grant/);
  assert.equal(error.status, 400);
});

test("a refusal for want of CSRF protection says what to send and to allow", async (t) => {
  const refresh = { url: TOKEN_URL, style: "cookie" };
  const { error, w } = await failure(t, () => Response.json({ error: "csrf" }, { status: 403 }), refresh);
  assert.match(error.message, /403 csrf.*--allow-origin.*X-Everfresh: 1.*refresh\.headers/);
  assert.match(error.message, /https:\/\/app\.test/);
  assert.equal(w.session.snapshot.lastError?.message ?? error.message, error.message);
});

test("silence from another origin speaks of CORS", async (t) => {
  const { error } = await failure(t, () => Promise.reject(new TypeError("Failed to fetch")));
  assert.equal(error.code, "ERR_REFRESH_UNAVAILABLE");
  assert.match(error.message, /another origin.*CORS.*https:\/\/app\.test.*--allow-origin/);
});

test("other trouble does not", async (t) => {
  const { error } = await failure(t, () => Promise.reject(new Error("bug of the transport")));
  assert.doesNotMatch(error.message, /CORS/);
});

test("in Node.js the message of an uncaught error stands near the top, not below the whole package", () => {
  for (const [file, flag, load] of [
    ["inline.js", "--input-type=module", (path) => `import { createSession } from "${path}";`],
    ["inline.cjs", "--input-type=commonjs", ({ pathname }) => `const { createSession } = require("${pathname}");`],
  ]) {
    const path = new URL(`../dist/${file}`, import.meta.url);
    const lines = readFileSync(path, "utf8").split("\n").filter((line) => !/^[\w+/]+=*$/.test(line));
    const longest = Math.max(...lines.map(({ length }) => length));
    assert.ok(longest < 3_000, `${file} has a line of ${longest} characters`);
    const code = `${load(path)} createSession({ refresh: "/token", leadSecond: 1 });`;
    const { stderr } = spawnSync(process.execPath, [flag, "--eval", code], { encoding: "utf8" });
    assert.match(stderr.slice(0, 8_000), /option leadSecond does not exist: remove it/);
  }
});
