// The engine that the tests run in, by `E2E_ENGINE`.

const ENGINES = ["chromium", "firefox", "webkit"];

/** Its name. */
export const engine = process.env.E2E_ENGINE ?? ENGINES[0];
if (!ENGINES.includes(engine)) {
  throw new Error(`E2E_ENGINE is ${engine}; it knows ${ENGINES.join(", ")}`);
}

const driver = await import(`./${engine}.mjs`);

/** Starts the browser; see chromium.mjs. */
export const { launch } = driver;

/** Options of a test that cannot be run without these abilities: it is skipped, with the reason. */
export function needs(...abilities) {
  const lacking = abilities.find((ability) => driver.lacks[ability]);
  return { skip: lacking ? `${engine} lacks ${lacking}: ${driver.lacks[lacking]}` : false };
}

/**
 * How often the server rotated, by rule. Where a tab may read what is no longer so, it may ask once
 * more with the same key and get the same answer again (T6), which rotates nothing.
 */
export function rotations({ T6, ...refreshes }) {
  return T6 && !driver.lacks["prompt storage"] ? { T6, ...refreshes } : refreshes;
}
