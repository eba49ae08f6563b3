// What happens inside the frames of a page is user input too.

import assert from "node:assert/strict";
import { test } from "node:test";

import { page, put } from "./page.mjs";
import { API, settle, world } from "./world.mjs";

const options = { origins: [API], idleSeconds: 300, idleMode: "end" };

/** A session of an hour in a page whose idle end comes after five minutes. */
async function begun(t) {
  const made = page(t);
  const w = world(t, options);
  w.lifetime = 3_600;
  await w.start();
  // The window itself loses the focus.
  const blur = () => made.fire("blur", {}, globalThis);
  return { ...made, blur, w };
}

test("typing in a frame of the same origin counts, in frames of frames too", async (t) => {
  const [inner, outer] = [new EventTarget(), new EventTarget()];
  Object.assign(outer, { length: 1, 0: inner });
  put(t, { length: 1, 0: outer });
  const { fire, w } = await begun(t);
  fire("pointermove"); // on its way there
  for (const frame of [outer, inner]) {
    await w.advance(200, 10);
    frame.dispatchEvent(new Event("keydown"));
  }
  await w.advance(230, 10);
  assert.equal(w.session.snapshot.status, "active");
  w.session.cancel();
  w.session.dispose();
});

test("a frame of another origin that refuses everything hurts nobody", async (t) => {
  const refuse = () => { throw new DOMException("", "SecurityError"); };
  const frame = new Proxy({}, { get: refuse, has: refuse });
  put(t, { length: 1, 0: frame });
  const { fire, w } = await begun(t);
  fire("pointermove");
  await settle();
  assert.equal(w.session.snapshot.status, "active");
});

test("focus inside a frame counts while it lasts", async (t) => {
  const { document, blur, w } = await begun(t);
  let focused = true;
  document.hasFocus = () => focused;
  document.activeElement = { contentWindow: {} };
  blur();
  await w.advance(600, 5);
  assert.equal(w.session.snapshot.status, "active");
  focused = false;
  await w.advance(200, 5);
  assert.equal(w.session.snapshot.status, "active", "it counted until then");
  await w.advance(110, 5);
  assert.deepEqual([w.session.snapshot.status, w.session.snapshot.reason], ["signed-out", "idle"]);
});

test("without a frame in focus nothing is looked at for long", async (t) => {
  const { document, blur } = await begun(t);
  const timers = new Set();
  put(t, {
    setInterval: (act) => (timers.add(act), act),
    clearInterval: (act) => timers.delete(act),
  });
  document.activeElement = { tagName: "INPUT" };
  blur();
  blur();
  assert.equal(timers.size, 1, "one is enough");
  for (const look of timers) look();
  assert.equal(timers.size, 0);
});
