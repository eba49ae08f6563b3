// What the package costs, beside the bare stub, what is written by hand, and other packages: CPU
// time in one process. `cargo xtask bench client` runs it.
//
//   node bench/client/main.mjs [--rounds N] [--json FILE]

import "./page.mjs";

import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

import { init } from "../../pkg/dist/inline.js";
import { versions } from "../peers/wrappers.mjs";
import { decodeCalls } from "./decoders.mjs";
import { measureCalls, measureWaves } from "./measure.mjs";
import { asJson, print } from "./report.mjs";
import { startUpCalls, validTokenCalls } from "./requests.mjs";
import { expiredWaves, refusedWaves } from "./waves.mjs";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "31" }, json: { type: "string" } },
});
const rounds = Number(values.rounds);

const began = performance.now();
await init();
const loading = performance.now() - began;

const rows = [];
const measured = async (row, measure, contenders) => {
  console.log(`measuring: ${row.title}`);
  rows.push({ ...row, results: await measure(contenders, rounds) });
};
const stub = { base: "bare stub", unit: "CPU us a call" };
for (const method of ["GET", "POST"]) {
  const title = method === "POST" ? "JSON POST, valid token" : "GET, valid token";
  await measured({ title, ...stub }, measureCalls, validTokenCalls("response", method));
  await measured(
    { title: `${title}, response ready`, ...stub, notes: ["peers are left out: they want a true Response"] },
    measureCalls,
    validTokenCalls("ready", method),
  );
}
await measured(
  {
    title: "start-up, from nothing to the first authorised response",
    ...stub,
    notes: [`everfresh also loads its WebAssembly, once per page: ${loading.toFixed(1)} ms here`],
  },
  measureCalls,
  startUpCalls(),
);
for (const bytes of [300, 1_000, 8_000]) {
  await measured(
    { title: `decode a JWT of ${bytes} bytes`, base: "atob + TextDecoder, by hand", unit: "CPU us a call" },
    measureCalls,
    decodeCalls(bytes),
  );
}
const wave = { base: "ideal, by hand", unit: "CPU us a wave", calls: 1_000 };
const deaf = "do not react to a 401: nothing to compare";
await measured(
  {
    title: "1,000 simultaneous 401s",
    ...wave,
    notes: [`@supabase/supabase-js and @auth0/auth0-spa-js ${deaf}`],
  },
  measureWaves,
  refusedWaves(),
);
await measured(
  {
    title: "1,000 calls after the token ran out",
    ...wave,
    notes: [
      "@auth0/auth0-spa-js is left out: it asks for tokens through a browser's worker and iframe",
    ],
  },
  measureWaves,
  expiredWaves(),
);

const machine = `Node.js ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? "unknown"}`;
const peers = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
print(rows);
console.log(`\n${machine}, ${rounds} rounds in turns; ${peers.join(", ")}`);
if (values.json) {
  const report = { machine, rounds, versions, loadingMilliseconds: loading, rows: asJson(rows) };
  writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
}
// Sessions that are still open keep timers.
process.exit(0);
