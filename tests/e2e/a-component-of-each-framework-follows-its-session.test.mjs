import assert from "node:assert/strict";
import { after, test } from "node:test";

import { buildFrameworkPages, frameworks } from "./support/framework-pages.mjs";
import { proxy } from "./support/proxy.mjs";
import { poll } from "./support/waiting.mjs";
import { world } from "./support/world.mjs";

const pages = await buildFrameworkPages();
after(() => pages.remove());
const w = world({ pages: `file://${pages.path}/`, accessTtl: "5s" });

for (const framework of frameworks) {
  test(`${framework}: follows sign-in, refreshes and another tab's sign-out, and stays mounted`, async (t) => {
    const site = await proxy(w.server, framework === "angular" ? evaluating : (headers) => headers);
    t.after(site.close);
    const profile = await w.profile(t);
    const address = `${site.url}/${framework}.html`;
    const [page, other] = [await opened(profile, address), await opened(profile, address)];
    const counted = await w.server.count();
    await page.evaluate(signIn);
    await shows(page, "#status", /^active, 0 ends$/);
    await shows(page, "#orders", /^mounted once 1$/);
    await shows(other, "#status", /^active, 0 ends$/);

    await poll("a refresh", async () => (await counted()).refreshes.T5 >= 1);
    await shows(page, "#orders", /^mounted once [2-9]$/);
    await shows(other, "#orders", /^mounted once [2-9]$/);

    await other.evaluate(() => session.signOut());
    for (const tab of [page, other]) {
      await shows(tab, "#status", /^signed-out, 1 ends$/);
      await shows(tab, "#login", /^sign in$/);
    }
  });
}

/** Angular's templates are compiled before an application is shipped; here the page does it, by `eval`. */
const evaluating = ({ "content-security-policy": policy, ...rest }) => ({
  ...rest,
  ...(policy && { "content-security-policy": policy.replace("'wasm-unsafe-eval'", "'unsafe-eval'") }),
});

/** A page that knows by now that no user is signed in. */
async function opened(profile, address) {
  const page = await profile.newPage(address);
  await shows(page, "#status", /^signed-out, 0 ends$/);
  return page;
}

async function signIn() {
  const response = await fetch("/auth/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username: "demo", password: "demo" }),
  });
  session.start(await response.json());
}

/** Waits until an element's text is as it should be. */
async function shows(page, selector, expected) {
  let text;
  try {
    await poll(selector, async () => {
      text = await page.evaluate((selector) => document.querySelector(selector)?.textContent, selector);
      return expected.test(text ?? "");
    });
  } catch (error) {
    assert.fail(`${selector} is ${JSON.stringify(text)}, not ${expected}: ${error.message}`);
  }
}
