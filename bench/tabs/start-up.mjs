// From a page's start to its first authorised response, package by package, in the engine that
// `E2E_ENGINE` names. `cargo xtask bench start-up` runs it in all three.
//
//   node bench/tabs/start-up.mjs [--rounds N] [--json FILE]

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { engine, launch } from "../../tests/e2e/support/engine.mjs";
import { bundle, CONTENDERS } from "./bundle.mjs";
import { startService } from "./service.mjs";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "9" }, json: { type: "string" } },
});
const rounds = Number(values.rounds);

const contenders = [];
for (const name of CONTENDERS) {
  const service = await startService({ folder: await bundle(name), speed: 1, leeway: 0 });
  contenders.push({ name, service, cold: [], warm: [] });
  const page = `<script>bench = { startsUp: true }</script><script type="module" src="page.js"></script>`;
  await writeFile(join(service.folder, "page.html"), page);
}
// One round more than is counted: the first of an engine starts its processes.
for (let round = 0; round <= rounds; round += 1) {
  const browser = await launch();
  try {
    for (const contender of contenders) {
      const { cold, warm } = await visit(browser, contender);
      if (round === 0) continue;
      contender.cold.push(cold);
      contender.warm.push(warm);
    }
  } finally {
    await browser.close();
  }
}
for (const { service } of contenders) service.stop();

const rows = contenders.map(({ name, cold, warm }) => ({ name, cold: spread(cold), warm: spread(warm) }));
console.log(`\n${engine}, ms from the page's start to the first authorised response, ${rounds} rounds in turns`);
console.log(`${"".padEnd(22)}${"first visit".padStart(28)}${"reloaded".padStart(28)}`);
for (const { name, cold, warm } of rows) console.log(name.padEnd(22) + figures(cold) + figures(warm));
if (values.json) {
  const report = { part: "start-up", engine, rounds, rows };
  await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
}

/** A first visit, which signs in, and a reload, which finds the session and the files in place. */
async function visit(browser, { name, service }) {
  const profile = await browser.newProfile();
  try {
    const page = await profile.newPage(`${service.url}/page.html`);
    const cold = await started(page, name);
    await page.reload();
    return { cold, warm: await started(page, name) };
  } finally {
    await profile.close();
  }
}

async function started(page, name) {
  const { answered, status } = await page.evaluate(() => bench.started);
  if (status !== 200) throw new Error(`${name} was not signed in: ${status}`);
  return answered;
}

function spread(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.floor(share * (sorted.length - 1))];
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}

function figures({ median, low, high }) {
  return `${median.toFixed(0).padStart(10)} (${low.toFixed(0)} to ${high.toFixed(0)})`.padEnd(28);
}
