// What the README shows first, copied as it stands into a fresh application.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { poll } from "../e2e/support/waiting.mjs";
import { Project } from "./support/project.mjs";
import { world } from "./support/world.mjs";

const w = world();
const PAGE = '<!doctype html><script type="module" src="./main.js"></script>';

/** The blocks of the README that say in their first line which file they are. */
function blocks() {
  const text = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const found = text.matchAll(/```(?:js|tsx?)\n(\/\/ (\S+)\n.*?)```/gs);
  return Object.fromEntries([...found].map(([, code, name]) => [name, code]));
}

test("the README's first blocks sign in, stay so over a reload, and sign out", async (t) => {
  const project = await Project.make("vite-react", "readme", {
    "index.html": PAGE,
    ...blocks(),
    "main.js": `import { createElement } from "react";
import { createRoot } from "react-dom/client";
import App from "./App.tsx";
import { session, whoAmI } from "./session.ts";
import { login, logout } from "./login.ts";
createRoot(document.body.appendChild(document.createElement("div"))).render(createElement(App));
globalThis.page = { session, whoAmI, login, logout };`,
  });
  await project.run("vite/bin/vite.js", ["build"]);
  const page = await w.open(t, `${project.folder}/dist`);
  const loaded = () => poll("the page's script", () => page.evaluate(() => Boolean(globalThis.page)));
  const shows = (text) => poll(text, () => page.evaluate((text) => document.body.textContent.includes(text), text));
  const status = () => page.evaluate(() => globalThis.page.session.snapshot.status);
  await loaded();
  assert.equal(await status(), "signed-out");
  await shows("Sign in");
  await page.evaluate(() => globalThis.page.login("demo", "demo"));
  assert.equal(await status(), "active");
  await shows("Sign out (token 1)");
  await page.reload();
  await loaded();
  assert.equal(await status(), "active");
  assert.ok((await page.evaluate(() => globalThis.page.whoAmI())).sub);
  await page.evaluate(() => globalThis.page.logout());
  assert.equal(await status(), "signed-out");
});
