import assert from "node:assert/strict";
import { test } from "node:test";

import { createSession } from "../dist/inline.js";
import { put } from "./page.mjs";
import { jwt } from "./world.mjs";

// Where there are no locks, tabs of one name first agree on a key, which takes time. Under the fake
// timers of a test no time passes.
test("without Web Locks and with timers that stand still a refresh is answered", async (t) => {
  put(t, { navigator: {} });
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.UTC(2030, 0, 1) });
  let issued = 0;
  const token = () => jwt({ sub: "ana", exp: Date.now() / 1_000 + 300, jti: String((issued += 1)) });
  const session = createSession({ refresh: async () => token() });
  t.after(() => session.dispose());
  session.start(token());
  assert.equal((await session.refresh()).generation, 2);
  assert.equal(session.stats.locks.requested, 1);
});

test("it opens no channel", (t) => {
  const opened = t.mock.fn();
  put(t, { BroadcastChannel: opened });
  const session = createSession({ refresh: async () => "" });
  t.after(() => session.dispose());
  session.start({ access_token: "opaque", expires_in: 300 });
  assert.equal(opened.mock.callCount(), 0);
});
