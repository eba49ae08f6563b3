// The ten tests of jwt-autorefresh 0.2.4 in our words, and the faults of it that are gone.

import assert from "node:assert/strict";
import { test } from "node:test";

import autorefresh from "everfresh/autorefresh";

import { lockManager, put } from "./page.mjs";
import { jwt, settle } from "./world.mjs";

const START = Date.UTC(2030, 0, 1);

/** A token that runs out N seconds from now, fractions included. */
const token = (lifetime, claims = {}) => jwt({ exp: Date.now() / 1_000 + lifetime, ...claims });

/** Time that the test moves; what no one handles fails the test. */
function world(t) {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: START });
  t.mock.method(performance, "now", () => Date.now() - START);
  // Without locks every refresh first waits for the other tabs.
  if (!globalThis.navigator?.locks) put(t, { navigator: { locks: lockManager() } });
  const lines = [];
  return {
    lines,
    log: {
      info: (message) => lines.push(message),
      error: (error, message) => lines.push(message),
    },
    async advance(seconds) {
      await settle();
      for (let i = 0; i < seconds; i += 1) {
        t.mock.timers.tick(1_000);
        await settle();
      }
    },
  };
}

test("the default export is a function", () => {
  assert.equal(typeof autorefresh, "function");
});

test("without options it throws", () => {
  assert.throws(() => autorefresh(), { code: "ERR_INVALID_OPTION" });
});

test("without refresh it throws", () => {
  assert.throws(() => autorefresh({ leadSeconds: 10 }), /requires a refresh function/);
});

test("without leadSeconds, or with none, it throws", () => {
  assert.throws(() => autorefresh({ refresh() {} }), /requires a leadSeconds number or function/);
  assert.throws(() => autorefresh({ refresh() {}, leadSeconds: 0 }), /leadSeconds/);
});

test("with both it returns a function", () => {
  assert.equal(typeof autorefresh({ refresh() {}, leadSeconds: 10 }), "function");
});

test("start throws what refresh throws at once, and leaves nothing behind", async (t) => {
  const w = world(t);
  let calls = 0;
  const refresh = () => {
    calls += 1;
    throw new Error("no");
  };
  const start = autorefresh({ refresh, leadSeconds: 10, log: w.log });
  assert.throws(() => start(token(1)), /^Error: no$/);
  await w.advance(60);
  assert.equal(calls, 1);
});

test("start throws for a lead that is not more than 0, a function's too", () => {
  for (const leadSeconds of [-10, () => 0, () => NaN, () => "10s"]) {
    const start = autorefresh({ refresh: () => token(60), leadSeconds });
    assert.throws(() => start(token(60)), /DELAY_ERROR\|.*positive number of seconds/);
  }
});

test("start throws for a token that was never valid, has no expiry or is none", (t) => {
  const w = world(t);
  const start = autorefresh({ refresh: () => token(60), leadSeconds: 10, log: w.log });
  const now = Date.now() / 1_000;
  assert.throws(() => start(jwt({ nbf: now, exp: now - 100 })), { code: "ERR_INVALID_TOKEN" });
  assert.throws(() => start(jwt({ sub: "ana" })), /DELAY_ERROR\|.*"exp" standard claim/);
  for (const bad of [undefined, 5, "abc", "a.b.c"]) {
    assert.throws(() => start(bad), { code: "ERR_INVALID_TOKEN" }, String(bad));
  }
});

test("start returns a function for a token that is due already", async (t) => {
  const w = world(t);
  const start = autorefresh({ refresh: async () => token(1), leadSeconds: 10, log: w.log });
  const cancel = start(token(1));
  assert.equal(typeof cancel, "function");
  await settle();
  cancel();
});

test("cancel returns nothing", async (t) => {
  const w = world(t);
  const start = autorefresh({ refresh: async () => token(1), leadSeconds: 10, log: w.log });
  assert.ok(!start(token(1))());
  await w.advance(10);
});

test("a token is refreshed its lead before it expires, whatever else it lives", async (t) => {
  const w = world(t);
  const at = [];
  const refresh = () => {
    at.push((Date.now() - START) / 1_000);
    return token(300);
  };
  const cancel = autorefresh({ refresh, leadSeconds: 200, log: w.log })(token(300));
  await w.advance(320);
  cancel();
  assert.deepEqual(at, [100, 200, 300]);
  assert.ok(w.lines.includes("START|autorefresh started"));
  assert.ok(w.lines.includes("DELAY|calculated autorefresh delay => 100.0 seconds"));
  assert.ok(w.lines.includes("SCHEDULE|scheduled refresh in 100.0 seconds"));
  assert.equal(w.lines.filter((line) => line === "EXECUTE|executing refresh").length, 3);
  assert.equal(w.lines.at(-1), "CANCEL|autorefresh cancelled");
});

test("the lead is asked for anew for each token", async (t) => {
  const w = world(t);
  const leads = [10, 20, 30, 40];
  const at = [];
  const refresh = async () => {
    at.push((Date.now() - START) / 1_000);
    return token(100);
  };
  const cancel = autorefresh({ refresh, leadSeconds: () => leads.shift(), log: w.log })(token(100));
  await w.advance(250);
  cancel();
  assert.deepEqual(at, [90, 170, 240]);
});

test("no storm: thirty days, a life shorter than the lead, a token that is old when it comes", async (t) => {
  const w = world(t);
  for (const [lifetime, most] of [[30 * 86_400, 0], [5, 13], [1, 13], [-60, 13]]) {
    let calls = 0;
    const refresh = async () => {
      calls += 1;
      return token(lifetime);
    };
    const cancel = autorefresh({ refresh, leadSeconds: 10, log: w.log })(token(60));
    await w.advance(50);
    const first = calls;
    await w.advance(60);
    cancel();
    assert.ok(calls - first <= most, `${calls} refreshes of tokens that live ${lifetime} s`);
  }
});

test("no zombie: a refresh under way at cancel changes nothing", async (t) => {
  const w = world(t);
  const answers = [];
  const refresh = () => new Promise((resolve) => answers.push(resolve));
  const cancel = autorefresh({ refresh, leadSeconds: 10, log: w.log })(token(60));
  await w.advance(51);
  assert.equal(answers.length, 1);
  cancel();
  answers[0](token(60));
  await w.advance(300);
  assert.equal(answers.length, 1);
});

test("an old cancel leaves a newer start alone", async (t) => {
  const w = world(t);
  let calls = 0;
  const refresh = async () => {
    calls += 1;
    return token(60);
  };
  const start = autorefresh({ refresh, leadSeconds: 10, log: w.log });
  const old = start(token(60));
  const cancel = start(token(60, { jti: "2" }));
  old();
  await w.advance(55);
  assert.equal(calls, 1);
  cancel();
});

test("no silent death: what refresh rejects with is logged, and it is tried again", async (t) => {
  const w = world(t);
  let calls = 0;
  const refresh = async () => {
    calls += 1;
    if (calls < 3) throw new Error("offline");
    return token(300);
  };
  const cancel = autorefresh({ refresh, leadSeconds: 10, log: w.log })(token(60));
  await w.advance(120);
  assert.equal(calls, 3);
  assert.ok(w.lines.includes("INVALID_REFRESH|refresh rejected with an error => offline"));
  cancel();
});

for (const [what, first] of [
  ["rejects", () => Promise.reject(new Error("offline"))],
  ["never ends", () => new Promise(() => {})],
]) {
  test(`no silent death: where the first refresh of a token that is due ${what}, it is tried again`, async (t) => {
    const w = world(t);
    let calls = 0;
    const refresh = () => (++calls === 1 ? first() : Promise.resolve(token(300)));
    const cancel = autorefresh({ refresh, leadSeconds: 10, log: w.log })(token(1));
    await w.advance(120);
    assert.equal(calls, 2, w.lines.join("\n"));
    cancel();
  });
}

for (const [what, isCancelled, lifetime] of [
  ["cancelled", true, 1],
  ["cancelled", true, 60],
  ["replaced", false, 1],
  ["replaced", false, 60],
]) {
  test(`no zombie: a start that was ${what} gives the next one, of ${lifetime} s, no token`, async (t) => {
    const w = world(t);
    const answers = [];
    const refresh = () => new Promise((resolve) => answers.push(resolve));
    const start = autorefresh({ refresh, leadSeconds: 10, log: w.log });
    const old = start(token(1, { sub: "ana" }));
    if (isCancelled) old();
    const cancel = start(token(lifetime, { sub: "bob" }));
    old();
    answers[0](token(300, { sub: "ana" }));
    await w.advance(55);
    assert.equal(answers.length, 2, w.lines.join("\n"));
    answers[1](token(300, { sub: "bob" }));
    await w.advance(300);
    assert.equal(answers.length, 3, w.lines.join("\n"));
    assert.doesNotMatch(w.lines.join("\n"), /ENDED/);
    cancel();
  });
}

test("an answer that is no token is logged without it, and asked for again", async (t) => {
  const w = world(t);
  let calls = 0;
  const refresh = async () => {
    calls += 1;
    return calls === 1 ? "secret.is.broken" : token(300);
  };
  const cancel = autorefresh({ refresh, leadSeconds: 10, log: w.log })(token(60));
  await w.advance(120);
  assert.equal(calls, 2);
  assert.match(w.lines.join("\n"), /INVALID_REFRESH/);
  assert.doesNotMatch(w.lines.join("\n"), /secret/);
  cancel();
});

test("a terminal error ends it, and says so", async (t) => {
  const w = world(t);
  let calls = 0;
  const refresh = async () => {
    calls += 1;
    throw Object.assign(new Error("signed out"), { terminal: true });
  };
  autorefresh({ refresh, leadSeconds: 10, log: w.log })(token(60));
  await w.advance(300);
  assert.equal(calls, 1);
  assert.ok(w.lines.includes("ENDED|autorefresh ended => revoked"), w.lines.join("\n"));
});

test("two of them in one page have nothing to do with each other", async (t) => {
  const w = world(t);
  const make = (sub) => autorefresh({ refresh: () => token(60, { sub }), leadSeconds: 10, log: w.log });
  const [one, two] = [make("ana")(token(60, { sub: "ana" })), make("bob")(token(60, { sub: "bob" }))];
  await w.advance(60);
  assert.doesNotMatch(w.lines.join("\n"), /ENDED/);
  one();
  two();
});
