import assert from "node:assert/strict";
import { test } from "node:test";

import { launch } from "./support/engine.mjs";
import { within } from "./support/waiting.mjs";

test("a browser that stands still is given up with a clear word, and killed", async () => {
  const browser = await launch();
  const { pid } = browser;
  process.kill(-pid, "SIGSTOP");
  const stuck = within("a profile", browser.newProfile(), 300);
  await assert.rejects(stuck, /gave up waiting: a profile/);

  await browser.close();

  assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
});
