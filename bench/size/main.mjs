// What each package adds to an application's download: its smallest realistic entry, bundled and
// minified alike. `cargo xtask bench size` runs it.
//
//   node bench/size/main.mjs [--json FILE]

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import { build, version } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../..");
const peers = join(here, "../peers");
const { values } = parseArgs({ options: { json: { type: "string" } } });

/** What an entry is measured without, or with; the reader has to know. */
const NOTES = {
  "everfresh": "its WebAssembly included",
  "axios-auth-refresh": "axios included",
  "jwt-autorefresh": "does not bundle for browsers: Node's built-in modules are replaced by nothing",
  "react-idle-timer": "without React",
};

/** Lets a bundle be made where a package asks for what no browser has. */
const withoutNode = {
  name: "without-node",
  setup({ onResolve, onLoad }) {
    const missing = new RegExp(`^(node:)?(${[...builtinModules, "dtrace-provider"].join("|")})$`);
    onResolve({ filter: missing }, ({ path }) => ({ path, namespace: "nothing" }));
    onLoad({ filter: /.*/, namespace: "nothing" }, () => ({ contents: "module.exports = {}" }));
  },
};

const rows = [];
for (const file of readdirSync(join(peers, "entries")).sort()) {
  const name = file.replace(/\.mjs$/, "");
  const sizes = await weigh(join(peers, "entries", file), name);
  rows.push({ name, version: versionOf(name), ...sizes, note: NOTES[name] ?? "" });
}
rows.sort((a, b) => a.brotli - b.brotli);
print(rows);
if (values.json) {
  const tool = `esbuild ${version}`;
  writeFileSync(values.json, `${JSON.stringify({ part: "size", tool, rows }, null, 2)}\n`);
}

/** Bytes of everything that a browser loads for an entry before its first request. */
async function weigh(entry, name) {
  const out = join(root, "target/bench/size", name);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const { metafile } = await build({
    entryPoints: [entry],
    outdir: out,
    bundle: true,
    splitting: true,
    minify: true,
    metafile: true,
    absWorkingDir: root,
    format: "esm",
    platform: "browser",
    target: "es2022",
    legalComments: "none",
    define: { "process.env.NODE_ENV": '"production"', global: "globalThis" },
    external: ["react", "react-dom"],
    alias: { everfresh: join(root, "pkg/dist/url.js") },
    logLevel: "error",
    plugins: name === "jwt-autorefresh" ? [withoutNode] : [],
  });
  const files = loadedAtOnce(metafile.outputs, relative(root, join(out, `${name}.js`)));
  // The script fetches it; esbuild does not follow that.
  if (name === "everfresh") files.push("pkg/dist/everfresh_bg.wasm");
  const total = { raw: 0, gzip: 0, brotli: 0 };
  for (const file of files) {
    const bytes = readFileSync(join(root, file));
    const params = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    total.raw += bytes.length;
    total.gzip += gzipSync(bytes, { level: 9 }).length;
    total.brotli += brotliCompressSync(bytes, { params }).length;
  }
  return total;
}

/** A file and what it imports; not what it may import later. */
function loadedAtOnce(outputs, first) {
  const files = [first];
  for (const file of files) {
    const imported = outputs[file].imports.filter(({ kind, external }) => kind === "import-statement" && !external);
    files.push(...imported.map(({ path }) => path).filter((path) => !files.includes(path)));
  }
  return files;
}

function versionOf(name) {
  if (name === "everfresh") return JSON.parse(readFileSync(join(root, "pkg/package.json"), "utf8")).version;
  const source = readFileSync(join(peers, "entries", `${name}.mjs`), "utf8");
  const { dependencies } = JSON.parse(readFileSync(join(peers, "package.json"), "utf8"));
  const imported = [...source.matchAll(/from "([^"]+)"/g)].map(([, from]) => from);
  return imported.map((from) => `${from} ${dependencies[from]}`).join(", ");
}

function print(rows) {
  console.log(`${"".padEnd(26)}${"minified".padStart(10)}${"gzip".padStart(9)}${"brotli".padStart(9)}`);
  for (const { name, raw, gzip, brotli, note } of rows) {
    const figures = [raw, gzip, brotli].map((value) => String(value).padStart(9)).join("");
    console.log(`${name.padEnd(27)}${figures}${note && `   ${note}`}`);
  }
}
