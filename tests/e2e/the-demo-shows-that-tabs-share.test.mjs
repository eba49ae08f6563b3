import assert from "node:assert/strict";
import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { engine } from "./support/engine.mjs";
import { drawn } from "./support/picture.mjs";
import { poll, within } from "./support/waiting.mjs";
import { world } from "./support/world.mjs";

const pictures = process.env.E2E_PICTURES;
// As the demo has it for pictures; a slow machine's tests need a longer life.
const w = world({ pages: "www", accessTtl: pictures ? "20s" : "120s" });

test("three tabs of the demo list each other and share one refresh", async (t) => {
  const profile = await w.profile(t);
  const first = await signedIn(profile);
  const counted = await w.server.count();
  const tabs = [first, await profile.newPage(w.server.url), await profile.newPage(w.server.url)];
  for (const tab of tabs) await shows(tab, "#tabs li:nth-child(3)");
  const { requests } = await counted();
  if (!pictures) assert.deepEqual(requests, {}, "they were signed in by the first one");

  if (pictures) return takePictures(first);

  await tabs[1].evaluate(() => document.querySelector("[data-action=refresh]").click());
  for (const tab of tabs) {
    await told(tab, "token 2");
    // Each tab tells the others what it has, and that it was the one.
    await poll("one tab that fetched what all have", () =>
      tab.evaluate(() => {
        const all = [...document.querySelectorAll(".tab-token")].every((token) => / 2$/.test(token.textContent));
        return all && document.querySelectorAll("#tabs [data-fetched=true]").length === 1;
      }),
    );
    const { title, summary } = await tab.evaluate(() => ({
      title: document.title,
      summary: document.getElementById("tabs-summary").textContent,
    }));
    assert.match(title, /^Tab [123]: Signed in, Everfresh$/);
    assert.match(summary, /^3 tabs, one session: 1 refresh /);
  }
  assert.deepEqual((await counted()).refreshes, { T5: 1 });
});

test("its buttons say what they will do, and its status that there is no network", async (t) => {
  const tab = await signedIn(await w.profile(t));
  const click = async (action, shown = action) => {
    await press(tab, action);
    await tab.evaluate(drawn);
    return tab.evaluate((action) => {
      const parts = [`[data-action=${action}] b`, "#status"];
      return parts.map((selector) => document.querySelector(selector).textContent);
    }, shown);
  };

  assert.deepEqual(await click("expire", "skew"), ["Skew the clock", "Signed in"]);
  assert.deepEqual(await click("skew"), ["Set the clock right", "Signed in"]);
  assert.deepEqual(await click("skew"), ["Skew the clock", "Signed in"]);
  assert.deepEqual(await click("offline"), ["Go online", "Signed in, offline"]);
  assert.deepEqual(await click("offline"), ["Go offline", "Signed in"]);
});

test("it revokes on the server also with a token whose times lie in the server's future", async (t) => {
  const tab = await signedIn(await w.profile(t));
  const says = (text) =>
    poll(text, () => tab.evaluate((text) => document.getElementById("log").textContent.includes(text), text));
  for (const action of ["skew", "refresh"]) await press(tab, action);
  await says("token 2");
  for (const action of ["skew", "revoke"]) await press(tab, action);
  await says("Revoked on the server");
  await press(tab, "request");
  await shows(tab, "#status[data-status=signed-out]");
});

test("its link opens another tab, its styles and scripts obey the server's policy", async (t) => {
  const tab = await (await w.profile(t)).newPage(w.server.url);
  await shows(tab, "#sign-in:not([hidden])");
  const found = await tab.evaluate(() => {
    const { href, target, rel } = document.getElementById("another-tab");
    const inline = document.querySelectorAll("style, script:not([src]), [style*=url], [onclick]");
    return [new URL(href).pathname, target, rel, document.styleSheets.length, inline.length];
  });
  assert.deepEqual(found, ["/", "_blank", "noopener", 3, 0]);
});

test("its lines of code can be copied, and its links lead to documents that there are", async (t) => {
  const tab = await (await w.profile(t)).newPage(w.server.url);
  await shows(tab, "#sign-in:not([hidden])");
  await tab.evaluate(() => document.getElementById("copy").click());
  await shows(tab, "#copied:not(:empty)");
  const { said, marked, links } = await tab.evaluate(() => ({
    said: document.getElementById("copied").textContent,
    marked: getSelection().toString(),
    links: [...document.querySelectorAll(".links a")].map(({ href }) => href),
  }));
  // Not every browser lets a page without a user's click at the clipboard.
  if (said !== "Copied") assert.match(marked, /^import \{ createSession \}.*session\.fetch/s);
  assert.equal(links.length, 6);
  for (const link of links) {
    const file = link.replace(/^.*\/everfresh\/everfresh(#readme|\/blob\/main\/)/, (_, to) => (to === "#readme" ? "README.md" : ""));
    await access(new URL(`../../${file}`, import.meta.url));
  }
});

/** For the documentation, in the folder that `E2E_PICTURES` names. */
async function takePictures(tab) {
  for (const action of ["burst", "expire", "burst"]) await press(tab, action);
  await tab.evaluate(async () => {
    while (!/ 4$/.test(document.querySelector(".tab-token").textContent)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  for (const [name, ...size] of [["desktop", 1280, 900], ["phone", 390, 844]]) {
    await tab.touch();
    await writeFile(join(pictures, `demo-${engine}-${name}.png`), await tab.picture(...size));
  }
}

/** A tab of the demo, with the server's switchboard at hand. */
async function signedIn(profile) {
  const config = JSON.stringify({ control: w.server.control });
  await writeFile(join(w.site, "demo-config.json"), config);
  const tab = await profile.newPage(w.server.url);
  await shows(tab, "#sign-in:not([hidden])");
  await tab.evaluate(() => document.getElementById("sign-in").requestSubmit());
  await shows(tab, "#status[data-status=active]");
  return tab;
}

/** Presses a button and waits for what the log says of it. */
async function press(tab, action) {
  const line = await tab.evaluate((action) => {
    const lines = document.getElementById("log").childElementCount;
    document.querySelector(`[data-action=${action}]`).click();
    return `#log li:nth-child(${lines + 1})`;
  }, action);
  await shows(tab, line);
}

/** Waits until a tab has been told that all three have a token. */
function told(page, token) {
  const found = page.evaluate(async (token) => {
    const rows = () => [...document.querySelectorAll("#tabs .tab-token")];
    while (rows().filter(({ textContent }) => textContent === token).length < 3) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, token);
  return within(`three tabs with ${token}`, found);
}

function shows(page, selector) {
  const found = page.evaluate(async (selector) => {
    while (!document.querySelector(selector)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, selector);
  return within(selector, found);
}
