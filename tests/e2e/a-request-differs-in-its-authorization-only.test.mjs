// 300 requests by plain fetch and by `session.fetch`: what the server receives and what the caller is
// given are the same, but for Authorization. SEED makes others.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createSession } from "../../pkg/dist/inline.js";
import { startRecorder } from "./support/recorder.mjs";
import { requestPlans } from "./support/request-plans.mjs";
import { world } from "./support/world.mjs";
import { differences } from "./site/requests.js";

const w = world();
const SEED = Number(process.env.SEED ?? 14);
const COUNT = 300;

/** Runs them, and fails with the first that differs. */
async function compare(t, relative, ask) {
  t.diagnostic(`SEED=${SEED}`);
  const { recorder, tokens } = await recorded(t);
  const plans = requestPlans(SEED, COUNT, { own: recorder.own, other: recorder.other, relative });
  const all = {};
  const asks = await ask(recorder, tokens);
  while (plans.length > 0) {
    const { found, outcomes } = await asks(plans.splice(0, 20));
    assert.equal(found.length, 0, `SEED=${SEED} ${JSON.stringify(found[0], cut, 1)}`);
    for (const [kind, count] of Object.entries(outcomes)) all[kind] = (all[kind] ?? 0) + count;
  }
  t.diagnostic(`outcomes: ${JSON.stringify(all)}`);
  assert.ok(all[200] > COUNT / 4, "most requests come to something");
}

const cut = (key, value) => (typeof value === "string" && value.length > 600 ? `${value.slice(0, 600)} ...` : value);

async function recorded(t) {
  const recorder = await startRecorder(w.server, (await login()).access_token);
  t.after(recorder.close);
  return { recorder, tokens: await login() };
}

async function login() {
  const response = await fetch(`${w.server.url}/auth/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username: "demo", password: "demo" }),
  });
  return response.json();
}

test("in a page", (t) =>
  compare(t, true, async (recorder, tokens) => {
    const tab = await w.visit(await w.profile(t), `${recorder.own}/requests.html`);
    await tab.run((tokens) => void session.start(tokens), tokens);
    return (plans) => tab.run((plans) => differences(plans), plans);
  }));

test("in Node.js", (t) =>
  compare(t, false, ({ own }, tokens) => {
    const session = createSession({ refresh: `${own}/oauth/token`, origins: [own] });
    t.after(() => session.dispose());
    session.start(tokens);
    return (plans) => differences(session, plans, own);
  }));
