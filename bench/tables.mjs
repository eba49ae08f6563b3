// Writes what `cargo xtask bench` measured last, part by part, into docs/benchmarks.md, and the sizes as
// a picture beside it. Parts that have no figures in target/bench stay as they are.
//
//   node bench/tables.mjs

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";

const here = new URL("..", import.meta.url);
const page = new URL("docs/benchmarks.md", here);
const figures = (part) => {
  const file = new URL(`target/bench/${part}.json`, here);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
};

const PARTS = {
  size: sizes,
  client,
  tabs,
  "start-up": startUps,
  server,
};

let text = readFileSync(page, "utf8");
for (const [part, write] of Object.entries(PARTS)) {
  const section = write();
  if (!section) continue;
  const [begin, end] = [`<!-- ${part}: generated -->`, `<!-- ${part}: end -->`];
  const [before, rest] = text.split(begin);
  if (rest === undefined) throw new Error(`${fileURLToPath(page)} has no line ${begin}`);
  const after = rest.slice(rest.indexOf(end));
  text = `${before}${begin}\n\n${section}\n\n${after}`;
  console.log(`written: ${part}`);
}
writeFileSync(page, text);

function sizes() {
  const found = figures("size");
  if (!found) return undefined;
  writeFileSync(new URL("docs/images/download-size.svg", here), bars(found.rows));
  const ours = found.rows.find(({ name }) => name === "everfresh").brotli;
  const smaller = found.rows.filter(({ brotli }) => brotli < ours).length;
  const rows = found.rows.map(({ name, version, raw, gzip, brotli, note }) => {
    const what = name === "everfresh" ? "everfresh" : version;
    return [what + (note && `; ${note}`), raw, gzip, brotli];
  });
  return `${smaller} of ${found.rows.length - 1} are smaller than ours. Bytes, ${found.tool}:

${table(["package", "minified", "gzip", "brotli"], rows)}

![The same as bars](images/download-size.svg)`;
}

function client() {
  const found = figures("client");
  if (!found) return undefined;
  const better = found.rows.flatMap(({ title, contenders }) => {
    const ours = contenders.find(({ name }) => name.startsWith("everfresh")).median;
    return contenders
      .filter(({ name, median }) => !/^(everfresh|bare stub|ideal)|by hand$/.test(name) && median < ours)
      .map(({ name, median }) => `- ${title}: ${name} takes ${(median / ours).toFixed(2)} of our CPU`);
  });
  const rows = found.rows.flatMap(({ title, unit, contenders }) =>
    contenders.map(({ name, median, low, high, ratio }, at) => [
      at === 0 ? `${title} (${unit})` : "",
      name,
      figure(median),
      `${figure(low)} to ${figure(high)}`,
      ratio.toFixed(2),
    ]),
  );
  return `${found.machine}, ${found.rounds} rounds in turns.

What peers do better:

${better.join("\n") || "- nothing in this run"}

${table(["", "", "median", "middle half", "ratio"], rows)}`;
}

function tabs() {
  const found = figures("tabs");
  if (!found) return undefined;
  const rows = found.rows.map((row) => [
    row.name,
    row.tabs,
    `${row.leeway} s`,
    ...[row.refreshes, row.reuses, row.tolerated, `${row.failed} of ${row.requests}`],
    ...[row.signedOut, row.locks, row.messages],
  ]);
  const heads = ["", "tabs", "leeway", "refreshes", "reuse", "in leeway", "failed requests"];
  return `${found.lifetimes} lifetimes of ${found.lifetime} s, at ${found.speed} times their speed; ${machine()}.

${table([...heads, "tabs signed out", "locks", "messages"], rows)}`;
}

function startUps() {
  const runs = ["chromium", "firefox", "webkit"].map((engine) => figures(`start-up.${engine}`)).filter(Boolean);
  if (runs.length === 0) return undefined;
  const time = ({ median, low, high }) => `${figure(median)} (${figure(low)} to ${figure(high)})`;
  const rows = runs.flatMap(({ engine, rows }) =>
    rows.map(({ name, cold, warm }, at) => [at === 0 ? engine : "", name, time(cold), time(warm)]),
  );
  return `Milliseconds, ${runs[0].rounds} rounds in turns; ${machine()}.

${table(["", "", "first visit", "reloaded"], rows)}`;
}

function server() {
  const found = figures("server");
  if (!found) return undefined;
  const base = found.rows[0];
  const rows = ["verify", "refresh"].flatMap((what) =>
    found.rows
      .filter((row) => row[what])
      .map((row, at) => [
        at === 0 ? what : "",
        `${row.name}; ${row.note}`,
        row[what].per_second.toFixed(0),
        (row[what].per_second / base[what].per_second).toFixed(2),
        row[what].cpu_microseconds.toFixed(0),
        row[what].p50_milliseconds.toFixed(2),
        row[what].p99_milliseconds.toFixed(2),
      ]),
  );
  const memory = found.rows.map(({ name, mebibytes }) => `${name} ${mebibytes.toFixed(0)}`);
  return `${machine()}, for server and client together.

${table(["", "", "a second", "ratio", "CPU us each", "p50 ms", "p99 ms"], rows)}

MiB resident at the end: ${memory.join("; ")}.`;
}

function table(heads, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = `|${heads.map((_, at) => (typeof rows[0][at] === "string" && !/^[\d.]+$/.test(rows[0][at]) ? "---" : "---:")).join("|")}|`;
  return [line(heads), rule, ...rows.map(line)].join("\n");
}

function bars(rows) {
  const most = Math.max(...rows.map(({ brotli }) => brotli));
  const height = rows.length * 24 + 16;
  const bar = ({ name, brotli }, at) => {
    const [y, width] = [at * 24 + 8, Math.round((brotli / most) * 560)];
    const colour = name === "everfresh" ? "#0b6e4f" : "#9aa5b1";
    return `<text x="196" y="${y + 14}" text-anchor="end">${name}</text>
<rect x="204" y="${y + 2}" width="${width}" height="16" fill="${colour}"/>
<text x="${210 + width}" y="${y + 14}">${brotli}</text>`;
  };
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 840 ${height}" font-family="sans-serif" font-size="13" role="img">
<title>Bytes after brotli that an application downloads</title>
<rect width="840" height="${height}" fill="#fff"/>
${rows.map(bar).join("\n")}
</svg>
`;
}

function figure(value) {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

function machine() {
  return `${cpus().length} cores of ${cpus()[0]?.model ?? "an unknown kind"}`;
}
