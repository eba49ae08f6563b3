import assert from "node:assert/strict";
import { test } from "node:test";

import { world } from "./support/world.mjs";

const w = world();

/** In a task of the page's own, because what drives a page may be let off its policy. */
const fromTheOutside = async (path) => {
  await new Promise((resolve) => setTimeout(resolve));
  return e2e.outcome(session.fetch(path).then(({ status }) => status));
};

test("the server's own policy allows all that the package does", async (t) => {
  const tab = await w.tab(t);
  const violations = () => tab.run(() => violated);
  await tab.run(() => {
    globalThis.violated = [];
    addEventListener("securitypolicyviolation", (event) => {
      violated.push(event.effectiveDirective);
    });
  });
  const policy = (await fetch(w.server.url)).headers.get("content-security-policy");
  assert.match(policy, /default-src 'none'.*script-src 'self' 'wasm-unsafe-eval';/);
  assert.doesNotMatch(policy, /'unsafe-(eval|inline)'/);

  await tab.signIn();
  assert.deepEqual(await tab.run(fromTheOutside, "/api/me"), { value: 200 });
  assert.deepEqual(await violations(), []);
});
