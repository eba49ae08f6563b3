import assert from "node:assert/strict";
import { test } from "node:test";

import { poll } from "./support/waiting.mjs";
import { world } from "./support/world.mjs";

const LIFE = 10;
const CLAIMS = /^demo, with a token until \d+$/;
const w = world({
  pages: process.env.E2E_EXAMPLES ?? "target/front-ends/site",
  accessTtl: `${LIFE}s`,
});

for (const framework of ["dioxus", "leptos", "yew"]) {
  test(`${framework}: signs in, refreshes before expiry, survives a reload, signs out`, async (t) => {
    const page = await opened(t, framework);
    await signIn(page, "wrong");
    await shows(page, "#error", /sign-in failed: 401/);

    const counted = await w.server.count();
    await signIn(page, "demo");
    await shows(page, "#status", /^active$/);
    const first = await claims(page);
    const left = Number(await shows(page, "#left", /^\d+$/));
    assert.ok(left <= LIFE, `the token has ${left} s left`);
    await shows(page, "#left", new RegExp(`^(?!${left}$)\\d+$`));

    await poll("a refresh", async () => (await counted()).refreshes.T5 >= 1);
    // The server has answered; the page may not have heard yet.
    await poll("a newer token", async () => {
      await press(page, "#ask");
      return (await claims(page)) > first;
    });
    assert.equal((await counted()).answers["GET /api/me 401"], undefined);

    await page.reload();
    await shows(page, "#status", /^active$/);
    await claims(page);
    assert.equal((await counted()).requests["POST /auth/login"], 1);

    await press(page, "#sign-out");
    await shows(page, "#status", /^signed-out$/);
    await poll("the end on the server", async () => (await counted()).requests["POST /oauth/revoke"]);
  });

  test(`${framework}: a 401 costs one resend, and the user sees nothing of it`, async (t) => {
    const page = await opened(t, framework);
    await signIn(page, "demo");
    await claims(page);
    await heals(page, "#ask", "#me");
  });
}

test("leptos: so does a 401 of a server function", async (t) => {
  const page = await opened(t, "leptos");
  await signIn(page, "demo");
  await claims(page);
  await heals(page, "#ask-function", "#asked");
});

/** A page of an application that knows by now that no user is signed in. */
async function opened(t, framework) {
  const page = await (await w.profile(t)).newPage(`${w.server.url}/${framework}/`);
  await shows(page, "#status", /^signed-out$/);
  return page;
}

/** Presses a button whose first request gets a 401; then the page shows the answer to the second. */
async function heals(page, button, place) {
  await w.server.fault("GET /api/me", "status", { status: 401, times: 1 });
  const counted = await w.server.count();
  await press(page, button);
  await poll("a resend", async () => (await counted()).answers["GET /api/me 200"]);
  await shows(page, place, CLAIMS);
  const { answers } = await counted();
  assert.equal(answers["GET /api/me 401"], 1);
  assert.equal(answers["GET /api/me 200"], 1);
  assert.ok(answers["POST /oauth/token 200"] >= 1, "there was a refresh, by schedule another");
}

/** Types and submits as a user does. */
async function signIn(page, password) {
  await shows(page, "form button", /./);
  await page.evaluate((password) => {
    for (const [name, value] of Object.entries({ username: "demo", password })) {
      const input = document.querySelector(`[name=${name}]`);
      input.value = value;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    }
    document.querySelector("form").requestSubmit();
  }, password);
}

/** Until when the token lasts that the application's request had. */
async function claims(page) {
  const said = await shows(page, "#me", CLAIMS);
  return Number(said.match(/\d+$/)[0]);
}

/** Waits until a part of the page has such a text, and returns it. */
function shows(page, selector, text) {
  return poll(`${selector} with ${text}`, async () => {
    const found = await page.evaluate((it) => document.querySelector(it)?.textContent, selector);
    return text.test(found ?? "") && found;
  });
}

function press(page, selector) {
  return page.evaluate((selector) => document.querySelector(selector).click(), selector);
}
