import assert from "node:assert/strict";
import { test } from "node:test";

import { world } from "./support/world.mjs";

const w = world();

/** Gives the page what a token endpoint may answer, by name. */
function prepare() {
  const text = (body, status = 200) => async () => new Response(body, { status });
  const shape = (members) => async () => ({ status: 200, headers: new Headers(), ...members });
  const throwing = { get() { throw new Error("no"); } };
  const grant = (members) => JSON.stringify({ access_token: "b", refresh_token: "s", ...members });
  globalThis.hostile = {
    "arrays in 100,000 levels": text(`${"[".repeat(1e5)}1${"]".repeat(1e5)}`),
    "objects in 100,000 levels": text(`{"expires_in":${'{"a":'.repeat(1e5)}1${"}".repeat(1e5)}}`),
    "a life that is no number": text(grant({ expires_in: { toString: 0 } })),
    "tokens that are no texts": text('{"access_token":{"toString":0},"refresh_token":[{}]}'),
    "numbers beyond all bounds": text('{"access_token":"b","expires_in":1e400,"refresh_in":-1e400}'),
    "a body of two megabytes": text(grant({ padding: "x".repeat(2e6) })),
    "a refusal of two megabytes": text("x".repeat(2e6), 500),
    "a body that is no JSON": text("<!doctype html>"),
    "an array of pairs": text('[["access_token","b"],["expires_in",300]]'),
    "an answer that never comes": () => new Promise(() => {}),
    "a body that never ends": shape({ text: () => new Promise(() => {}) }),
    "a body that fails": shape({ text: () => Promise.reject(new Error("no")) }),
    "a body that throws": shape({ text: throwing.get }),
    "a body that is no text": shape({ text: async () => ({ toString: 0 }) }),
    "a status that is no number": shape({ status: { valueOf: 0 }, text: async () => "{}" }),
    "headers that throw": shape({ headers: throwing, text: async () => "{}" }),
    "members that throw": async () =>
      new Proxy({}, { get: (_, name) => name === "then" ? undefined : throwing.get() }),
    "a thenable that answers twice": () => ({ then(kept, broken) { kept(null); broken(1); } }),
    "a promise that answers at once": () => {
      return Object.assign(Promise.resolve(), { then: (_, broken) => broken("no") });
    },
    "no response at all": async () => undefined,
    "a fetch that throws": throwing.get,
  };
  return Object.keys(hostile);
}

/** Has every call wait for this answer, then for a good one, and says what became of all. */
async function askAll(name) {
  let answer = hostile[name];
  const good = async () =>
    Response.json({ access_token: "good", refresh_token: "r", expires_in: 300 });
  const fetch = (input, init) => {
    const { pathname } = new URL(input.url ?? input, location.href);
    return pathname === "/api" ? Promise.resolve(new Response("", { status: 401 })) : answer(init);
  };
  const { session } = e2e.open({ name, fetch, timeoutSeconds: 0.2, waitSeconds: 0.5 });
  const limit = () => new Promise((_, late) => setTimeout(late, 20_000, new Error("unsettled")));
  const settled = async (promise) => {
    const { value, error } = await e2e.outcome(Promise.race([promise, limit()]));
    return error ? error.code ?? error.message : value?.status ?? value ?? "done";
  };
  await e2e.init();
  session.start({ accessToken: "a", refreshToken: "r", expiresIn: 300 });
  const asked = {
    refresh: await settled(session.refresh()),
    fetch: await settled(session.fetch("/api")),
    token: await settled(session.getAccessToken({ minValiditySeconds: 301 })),
    before: session.snapshot.status,
  };
  answer = good;
  // The first one may join an attempt that still waits for the answer before.
  for (let tries = 0; tries < 10 && asked.refreshed !== "active"; tries += 1) {
    asked.refreshed = await settled(session.refresh());
  }
  asked.good = await settled(session.getAccessToken());
  answer = hostile[name];
  asked.signOut = await settled(session.signOut());
  asked.after = session.snapshot.status;
  session.dispose();
  return asked;
}

test("a hostile answer of any shape leaves no waiter unsettled", async (t) => {
  const tab = await w.tab(t);
  const names = await tab.run(prepare);
  assert.equal(names.length, 21);
  for (const name of names) {
    await t.test(name, async () => {
      const asked = await tab.run(askAll, name);
      const { refresh, token, ...rest } = asked;
      const usable = name === "numbers beyond all bounds";
      assert.match(refresh, usable ? /^active$/ : FAILURES);
      assert.match(token, usable ? /^b$/ : FAILURES);
      assert.deepEqual(rest, {
        ...{ fetch: 401, before: "active", refreshed: "active", good: "good" },
        ...{ signOut: "done", after: "signed-out" },
      });
    });
  }
});

const FAILURES =
  /^ERR_(BAD_REFRESH_RESPONSE|REFRESH_TIMEOUT|REFRESH_UNAVAILABLE|REFRESH_REJECTED)$/;
