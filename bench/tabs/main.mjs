// Many tabs of one user, kept signed in by each package in turn, against one service that rotates.
// `cargo xtask bench tabs` runs it in Chromium.
//
//   node bench/tabs/main.mjs [--tabs 2,8,20] [--lifetimes N] [--speed N] [--json FILE]

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { launch } from "../../tests/e2e/support/chromium.mjs";
import { bundle, CONTENDERS } from "./bundle.mjs";
import { LIFETIME, startService } from "./service.mjs";

const { values } = parseArgs({
  options: {
    tabs: { type: "string", default: "2,8,20" },
    lifetimes: { type: "string", default: "10" },
    speed: { type: "string", default: "40" },
    only: { type: "string" },
    json: { type: "string" },
  },
});
const speed = Number(values.speed);
const lifetimes = Number(values.lifetimes);

/** Seconds in which a refresh token that was replaced is still taken. */
const LEEWAYS = [0, 10];
/** Seconds between two requests of a tab. */
const PAUSE = 10;

const browser = await launch();
const rows = [];
try {
  for (const name of CONTENDERS.filter((name) => !values.only || name === values.only)) {
    const folder = await bundle(name);
    for (const leeway of LEEWAYS) {
      for (const tabs of values.tabs.split(",").map(Number)) {
        console.log(`measuring: ${name}, ${tabs} tabs, a leeway of ${leeway} s`);
        rows.push({ name, tabs, leeway, ...(await measure(folder, tabs, leeway)) });
      }
    }
  }
} finally {
  await browser.close();
}
print(rows);
if (values.json) {
  const report = { part: "tabs", lifetimes, lifetime: LIFETIME, speed, rows };
  await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
}

async function measure(folder, count, leeway) {
  const service = await startService({ folder, speed, leeway });
  const profile = await browser.newProfile();
  try {
    const about = JSON.stringify({ speed, start: service.start });
    const page = `<script>bench = ${about}</script><script src="clock.js"></script>
      <script type="module" src="page.js"></script>`;
    await writeFile(join(folder, "page.html"), page);
    const tabs = [];
    while (tabs.length < count) tabs.push(await profile.newPage(`${service.url}/page.html`));
    await tabs[0].evaluate(() => bench.signIn());
    await Promise.all(tabs.slice(1).map((tab) => tab.evaluate(() => bench.join())));
    const until = service.now + lifetimes * LIFETIME;
    const run = (tab) => tab.evaluate(([until, pause]) => bench.work(until, pause), [until, PAUSE]);
    const found = await Promise.all(tabs.map(run));
    const { refreshes, reuses, leeway: tolerated } = service.counts;
    const sum = (member) => found.reduce((total, each) => total + each[member], 0);
    return {
      refreshes,
      reuses,
      tolerated,
      requests: sum("requests"),
      failed: sum("failed"),
      signedOut: found.filter(({ last }) => last !== 200).length,
      locks: sum("locks"),
      messages: sum("messages"),
    };
  } finally {
    await profile.close();
    service.stop();
  }
}

function print(rows) {
  const columns = ["refreshes", "reuses", "tolerated", "failed", "requests", "signedOut", "locks", "messages"];
  const heads = ["refreshes", "reuse", "in leeway", "failed", "requests", "signed out", "locks", "messages"];
  console.log(`\n${lifetimes} lifetimes of ${LIFETIME} s at ${speed} times their speed`);
  console.log(`${"".padEnd(22)}tabs  leeway${heads.map((head) => head.padStart(11)).join("")}`);
  for (const row of rows) {
    const figures = columns.map((column) => String(row[column]).padStart(11)).join("");
    const leeway = `${row.leeway} s`.padStart(8);
    console.log(`${row.name.padEnd(22)}${String(row.tabs).padStart(4)}${leeway}${figures}`);
  }
}
