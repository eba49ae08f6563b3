// Bundles a module for a page and imports it, as an application's build would.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const folder = fileURLToPath(new URL("../../target/bundled/", import.meta.url));
let bundles = 0;

/** The exports of `contents`; `plugins` compile what is not JavaScript. */
export async function bundled(t, contents, plugins = []) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL(".", import.meta.url)), loader: "js" },
    ...{ bundle: true, format: "esm", conditions: ["browser", "development"], write: false },
    define: { "import.meta.hot": "globalThis.hotOfRecipe" },
    ...{ logLevel: "error", jsx: "automatic", external: ["./everfresh_js.js"], plugins },
  });
  mkdirSync(folder, { recursive: true });
  const path = `${folder}${process.pid}-${(bundles += 1)}.mjs`;
  t.after(() => rmSync(path, { force: true }));
  writeFileSync(path, outputFiles[0].text);
  return import(path);
}
