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
 * How often the server rotated, by rule. Engines carry what a tab stored and said to the processes of
 * the others when they come to it. A tab that hears of nothing for a quarter of a second may ask once
 * more with the same key and get the same answer again (T6), which rotates nothing: now and then, not
 * at each rotation.
 */
export function rotations({ T6 = 0, ...refreshes }) {
  return T6 < refreshes.T5 ? refreshes : { T6, ...refreshes };
}
