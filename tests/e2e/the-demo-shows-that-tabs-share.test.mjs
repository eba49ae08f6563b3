import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { engine } from "./support/engine.mjs";
import { within } from "./support/waiting.mjs";
import { world } from "./support/world.mjs";

const pictures = process.env.E2E_PICTURES;
// As the demo has it for pictures; a slow machine's tests need a longer life.
const w = world({ pages: "www", accessTtl: pictures ? "20s" : "120s" });

test("three tabs of the demo list each other and share one refresh", async (t) => {
  const config = JSON.stringify({ control: w.server.control });
  await writeFile(join(w.site, "demo-config.json"), config);
  const profile = await w.profile(t);
  const first = await profile.newPage(w.server.url);
  await shows(first, "#sign-in:not([hidden])");
  await first.evaluate(() => document.getElementById("sign-in").requestSubmit());
  await shows(first, "#status[data-status=active]");
  const counted = await w.server.count();
  const tabs = [first, await profile.newPage(w.server.url), await profile.newPage(w.server.url)];
  for (const tab of tabs) await shows(tab, "#tabs li:nth-child(3)");
  const { requests } = await counted();
  if (!pictures) assert.deepEqual(requests, {}, "they were signed in by the first one");

  if (pictures) return takePictures(first);

  await tabs[1].evaluate(() => document.querySelector("[data-action=refresh]").click());
  for (const tab of tabs) {
    await shows(tab, "#tabs [data-fetched=true]");
    const { rows, fetched, title, summary } = await tab.evaluate(() => ({
      rows: [...document.querySelectorAll("#tabs .tab-token")].map((cell) => cell.textContent),
      fetched: document.querySelectorAll("#tabs [data-fetched=true]").length,
      title: document.title,
      summary: document.getElementById("tabs-summary").textContent,
    }));
    assert.deepEqual([rows, fetched], [Array(3).fill("token 2"), 1]);
    assert.match(title, /^Tab [123]: Signed in, Everfresh$/);
    assert.match(summary, /^3 tabs, one session: 1 refresh /);
  }
  assert.deepEqual((await counted()).refreshes, { T5: 1 });
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

/** For the documentation, in the folder that `E2E_PICTURES` names. */
async function takePictures(tab) {
  for (const action of ["burst", "expire", "burst"]) {
    await tab.evaluate((action) => {
      const lines = document.getElementById("log").childElementCount;
      document.querySelector(`[data-action=${action}]`).click();
      globalThis.awaited = `#log li:nth-child(${lines + 1})`;
    }, action);
    await shows(tab, await tab.evaluate(() => awaited));
  }
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

function shows(page, selector) {
  const found = page.evaluate(async (selector) => {
    while (!document.querySelector(selector)) await new Promise((resolve) => setTimeout(resolve, 20));
  }, selector);
  return within(selector, found);
}
