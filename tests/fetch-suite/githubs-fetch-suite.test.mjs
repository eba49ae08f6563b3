// The tests of GitHub's fetch polyfill, once with the platform's fetch and once with a session's: what
// passes by the one passes by the other. FETCH_SUITE is their folder, with test.js and server.js;
// `cargo xtask fetch-suite` gets them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { startDevServer } from "../../pkg/dist/dev-server.js";
import { launch } from "../e2e/support/engine.mjs";
import { poll, within } from "../e2e/support/waiting.mjs";

const SUITE = process.env.FETCH_SUITE;
const file = (path) => fileURLToPath(new URL(path, import.meta.url));

/** In the page, before the suite: the run that it calls native is of this fetch, and only that is run. */
const PAGE = `<!doctype html><meta charset="utf-8"><div id="mocha"></div>
<script src="/mocha.js"></script><script src="/chai.js"></script>
<script>
  globalThis.assert = chai.assert;
  globalThis.WHATWGFetch = { DOMException };
  mocha.setup({ ui: "tdd", timeout: 20000, reporter: function () {} });
</script>
<script type="module">
  import { createSession } from "/everfresh/inline.js";
  const plain = fetch;
  if (location.search === "?session") {
    const session = createSession({ refresh: TOKEN_SERVER + "/oauth/token", fetch: plain });
    session.start(TOKENS);
    globalThis.fetch = session.fetch;
  }
  const script = Object.assign(document.createElement("script"), { src: "/test.js" });
  script.onload = () => {
    const done = { passed: [], failed: [] };
    mocha.grep(/^native /).run(() => (globalThis.done = done))
      .on("pass", (it) => done.passed.push(it.fullTitle()))
      .on("fail", (it, error) => done.failed.push(it.fullTitle() + ": " + error.message));
  };
  document.body.append(script);
</script>`;

test("what passes with fetch passes with a session's", { skip: !SUITE && "FETCH_SUITE is not set" }, async (t) => {
  const service = await startDevServer({ port: 0, ttl: 300 });
  t.after(() => service.close());
  const page = PAGE.replace("TOKEN_SERVER", JSON.stringify(service.url)).replace("TOKENS", JSON.stringify(service.signIn()));
  const files = {
    "/mocha.js": file("node_modules/mocha/mocha.js"),
    "/chai.js": file("node_modules/chai/chai.js"),
    "/test.js": join(SUITE, "test.js"),
    "/everfresh/inline.js": file("../../pkg/dist/inline.js"),
  };
  const routes = createRequire(import.meta.url)(join(SUITE, "server.js"));
  const authorizations = new Set();
  const server = createServer((asked, answer) => {
    if (asked.url.startsWith("/?")) return answer.writeHead(200, { "Content-Type": "text/html" }).end(page);
    const path = files[asked.url];
    if (path) return answer.writeHead(200, { "Content-Type": "text/javascript" }).end(readFileSync(path));
    authorizations.add(asked.headers.authorization?.split(" ")[0]);
    routes(asked, answer, () => answer.writeHead(404).end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => (server.close(), server.closeAllConnections()));

  const browser = await launch();
  t.after(() => browser.close());
  const run = async (how) => {
    const profile = await within("a profile", browser.newProfile());
    const tab = await within("a page", profile.newPage(`http://127.0.0.1:${server.address().port}/?${how}`));
    return poll("the suite's end", () => tab.evaluate(() => globalThis.done));
  };
  const plain = await run("plain");
  assert.deepEqual([...authorizations], [undefined]);
  const ours = await run("session");
  t.diagnostic(`${ours.passed.length} passed, ${ours.failed.length} failed: ${ours.failed.join("; ")}`);
  assert.ok(authorizations.has("Bearer"));
  assert.ok(plain.passed.length > 100);
  assert.deepEqual(ours, plain);
});
