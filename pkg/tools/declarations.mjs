// tsc copies `./x.ts` specifiers into the declarations as they are; users have no such files.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const specifier = /((?:from|import)\s*\(?\s*["']\.{1,2}\/[^"']+)\.ts(["'])/g;

/** Makes every relative import of the declarations under `dist` end in `.js`. */
export function rewriteImports(dist) {
  for (const name of readdirSync(dist, { recursive: true })) {
    if (!name.endsWith(".d.ts")) continue;
    const path = join(dist, name);
    const text = readFileSync(path, "utf8");
    if (text.includes("/wasm/everfresh")) {
      console.error(`${name} exposes the generated glue: give what it exports a type of its own`);
      process.exit(1);
    }
    writeFileSync(path, text.replace(specifier, "$1.js$2"));
  }
}
