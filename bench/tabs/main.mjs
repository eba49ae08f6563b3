// Many tabs of one user, kept signed in by each package in turn, against one service that rotates.
// `cargo xtask bench tabs` runs it in Chromium.
//
//   node bench/tabs/main.mjs [--tabs 2,8,20] [--lifetimes N] [--speed N] [--json FILE]

import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { build } from "esbuild";

import { launch } from "../../tests/e2e/support/chromium.mjs";
import { LIFETIME, startService } from "./service.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
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

const CONTENDERS = [
  "everfresh",
  "auth0-spa-js",
  "oidc-client-ts",
  "supabase-auth-js",
  "supertokens-website",
];
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

/** The files of a page that a package keeps signed in. */
async function bundle(name) {
  const folder = join(root, "target/bench/tabs", name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await cp(join(root, "pkg/dist/everfresh_bg.wasm"), join(folder, "everfresh_bg.wasm"));
  await cp(join(root, "bench/tabs/clock.js"), join(folder, "clock.js"));
  await build({
    entryPoints: { page: join(root, "bench/tabs/page.js") },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    define: { global: "globalThis" },
    alias: {
      contender: join(root, "bench/peers/tabs", `${name}.mjs`),
      everfresh: join(root, "pkg/dist/url.js"),
    },
    logLevel: "error",
  });
  return folder;
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
