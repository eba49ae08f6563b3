// Builds a page of each framework, as an application's build would, into a folder of its own.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { compile } from "svelte/compiler";

import { temporaryFolder } from "./folder.mjs";

const SOURCES = fileURLToPath(new URL("../frameworks/", import.meta.url));
const ENTRIES = { angular: "angular.mjs", react: "react.jsx", solid: "solid.mjs", svelte: "svelte.mjs", vue: "vue.mjs" };

/** The frameworks. */
export const frameworks = Object.keys(ENTRIES);

/** The folder: `/react.html` and so on. The package itself is taken from where the site has it. */
export async function buildFrameworkPages() {
  const folder = await temporaryFolder();
  await build({
    entryPoints: Object.entries(ENTRIES).map(([out, name]) => ({ out, in: join(SOURCES, name) })),
    ...{ outdir: folder.path, bundle: true, format: "esm", jsx: "automatic", jsxDev: false },
    ...{ conditions: ["browser"], define: { "process.env.NODE_ENV": '"development"' }, logLevel: "error" },
    plugins: [{ name: "pages", setup }],
  });
  for (const name of frameworks) {
    const html = `<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>${name}</title>
<div id="app"></div><script type="module" src="/${name}.js"></script></html>`;
    await writeFile(join(folder.path, `${name}.html`), html);
  }
  return folder;
}

function setup(build) {
  build.onResolve({ filter: /^everfresh$/ }, () => ({ path: "/everfresh/inline.js", external: true }));
  build.onLoad({ filter: /\.svelte$/ }, async ({ path }) => {
    const { js } = compile(await readFile(path, "utf8"), { generate: "client", filename: path });
    return { contents: js.code };
  });
}
