// tsc writes a declaration for every module, with specifiers as they are in the sources. Users
// have no `./x.ts`, and need only what the exports of package.json lead to.

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const specifier = /((?:from|import)\s*\(?\s*["'])(\.{1,2}\/[^"']+)\.ts(["'])/g;

/**
 * Keeps the declarations that `roots` lead to, their relative imports ending in `.js`; and makes
 * those of CommonJS that `required` lead to, which are the same with other names.
 */
export function finishDeclarations(dist, roots, required) {
  for (const root of required) writeCommonJs(resolve(root), new Set());
  const kept = new Set(roots.map((root) => resolve(root)));
  const open = [...kept];
  while (open.length > 0) {
    const path = open.pop();
    const text = readFileSync(path, "utf8");
    for (const [, , name] of text.matchAll(specifier)) {
      const imported = join(dirname(path), `${name}.d.ts`);
      if (!existsSync(imported)) throw new Error(`${path} exposes ${name}, which has no types`);
      if (!kept.has(imported)) open.push(imported);
      kept.add(imported);
    }
    if (text.includes("/wasm/everfresh")) {
      throw new Error(`${path} exposes the generated glue: give what it exports its own type`);
    }
    writeFileSync(path, text.replace(specifier, "$1$2.js$3"));
  }
  for (const name of readdirSync(dist, { recursive: true })) {
    const path = join(dist, name);
    if (name.endsWith(".d.ts") && !kept.has(path)) rmSync(path);
  }
}

function writeCommonJs(path, written) {
  if (written.has(path)) return;
  written.add(path);
  const text = readFileSync(path.replace(/\.d\.cts$/, ".d.ts"), "utf8");
  for (const [, , name] of text.matchAll(specifier)) {
    writeCommonJs(join(dirname(path), `${name}.d.cts`), written);
  }
  writeFileSync(path, text.replace(specifier, "$1$2.cjs$3"));
}
