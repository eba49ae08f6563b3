// The tables: what peers do better first, then row by row.

/** Rows of ours, and of what is written by hand to compare with; all others are peers. */
const REFERENCES = /^(everfresh|bare stub|ideal)|by hand$/;

/** Prints rows `{ title, base, unit, results, notes }`; ratios are over the contender `base`. */
export function print(rows) {
  const better = rows.flatMap(betterPeers);
  console.log("\nWhat peers do better");
  for (const line of better.length > 0 ? better : ["nothing in this run"]) console.log(`  ${line}`);
  for (const row of rows) {
    console.log(`\n${row.title} (${row.unit})`);
    console.log(`  ${"".padEnd(28)}${"median".padStart(10)}${"middle half".padStart(20)}   ratio`);
    for (const result of withRatios(row)) console.log(`  ${line(result, row)}`);
    for (const note of row.notes ?? []) console.log(`  ${note}`);
  }
}

/** The same for machines. */
export function asJson(rows) {
  return rows.map(({ title, base, unit, results, notes = [] }) => ({
    title,
    unit,
    ratioOver: base,
    contenders: withRatios({ base, results }),
    notes,
  }));
}

function withRatios({ base, results }) {
  const { median: one } = new Map(results).get(base);
  return results.map(([name, { median, low, high, ...facts }]) => {
    return { name, median, low, high, ratio: median / one, ...facts };
  });
}

function line({ name, median, low, high, ratio, succeeded, refreshes }, { calls }) {
  const figure = (value) => value.toFixed(value < 100 ? 2 : 0);
  const facts = succeeded === undefined ? "" : `   ${succeeded} of ${calls} succeed, ${refreshes} refresh`;
  const half = `${figure(low)} to ${figure(high)}`;
  return `${name.padEnd(28)}${figure(median).padStart(10)}${half.padStart(20)}${ratio.toFixed(2).padStart(8)}${facts}`;
}

function betterPeers({ title, results }) {
  const [, ours] = results.find(([name]) => name.startsWith("everfresh"));
  return results
    .filter(([name, { median }]) => !REFERENCES.test(name) && median < ours.median)
    .map(([name, { median }]) => `${title}: ${name} takes ${(median / ours.median).toFixed(2)} of our CPU`);
}
