import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";

import { launch } from "./support/engine.mjs";
import { temporaryFolder } from "./support/folder.mjs";
import { GaveUp, poll, within } from "./support/waiting.mjs";
import { command } from "./support/webdriver.mjs";

test("a browser that stands still is given up with a clear word, and killed", async () => {
  const browser = await launch();
  const { pid } = browser;
  process.kill(-pid, "SIGSTOP");
  const stuck = within("a profile", browser.newProfile(), 300);
  await assert.rejects(stuck, /gave up waiting: a profile/);

  await browser.close();

  assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
});

test("a driver that never answers is given up, and the command is named", async (t) => {
  const driver = createServer(() => {}).listen(0, "127.0.0.1");
  t.after(() => driver.closeAllConnections());
  t.after(() => driver.close());
  await once(driver, "listening");
  const address = `http://127.0.0.1:${driver.address().port}`;

  const unanswered = command(address, "POST", "/url", { url: "about:blank" }, 100);

  await assert.rejects(unanswered, new GaveUp("an answer to POST /url"));
});

test("a browser ends with the tests, even if those are killed", async (t) => {
  const folder = await temporaryFolder();
  t.after(folder.remove);
  const engine = new URL("./support/engine.mjs", import.meta.url);
  const script = `
    const { launch } = await import(${JSON.stringify(engine)});
    console.log((await launch()).pid);`;
  const flags = ["--input-type=module", "--eval", script];
  const tests = spawn(process.execPath, flags, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, TMPDIR: folder.path },
  });
  const [line] = await within("the browser's process", once(tests.stdout, "data"));
  const pid = Number(line);
  process.kill(pid, 0);

  tests.kill("SIGKILL");

  await poll("the browser's end", () => {
    try {
      return !process.kill(pid, 0);
    } catch ({ code }) {
      return code === "ESRCH";
    }
  });
});
