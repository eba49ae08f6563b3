// Builds pkg/dist from pkg/src and the wasm in pkg/wasm: one self-contained file an entry, the
// wasm beside them, and the type declarations. `cargo xtask` runs it after the wasm build.
//
//   node pkg/tools/build.mjs METAFILE

import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import * as esbuild from "esbuild";

import { finishDeclarations } from "./declarations.mjs";
import { inlineWasm } from "./inline-wasm.mjs";
import { shrink } from "./shrink.mjs";
import { trimGlue } from "./trim-glue.mjs";

const pkg = join(dirname(fileURLToPath(import.meta.url)), "..");
const root = join(pkg, "..");
const dist = join(pkg, "dist");
const wasm = join(pkg, "wasm", "everfresh_bg.wasm");
const metafile = process.argv[2];

const entries = readdirSync(join(pkg, "src", "entry")).filter((name) => name.endsWith(".ts"));

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
copyFileSync(wasm, join(dist, "everfresh_bg.wasm"));

const built = await esbuild.build({
  absWorkingDir: root,
  entryPoints: entries.map((name) => ({
    in: join(pkg, "src", "entry", name),
    out: basename(name, ".ts"),
  })),
  outdir: dist,
  bundle: true,
  // Shared chunks would cost a user of one entry bytes and a request: they never use two.
  splitting: false,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  // The maps stay out of the tarball, so the files must not point at them.
  sourcemap: "external",
  metafile: true,
  write: false,
  external: ["./everfresh_bg.wasm", "node:*"],
  plugins: [inlineWasm(wasm), trimGlue(join(pkg, "wasm", "everfresh.js"))],
  logLevel: "warning",
});
if (metafile) {
  mkdirSync(dirname(metafile), { recursive: true });
  writeFileSync(metafile, JSON.stringify(built.metafile));
}
if (built.warnings.length > 0) process.exit(1);
const texts = new Map(built.outputFiles.map(({ path, text }) => [path, text]));
for (const [path, text] of texts) {
  if (!path.endsWith(".js")) continue;
  const { code, map } = await shrink({ code: text, map: texts.get(`${path}.map`) });
  writeFileSync(path, code);
  writeFileSync(`${path}.map`, map);
}

const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
try {
  execFileSync(process.execPath, [tsc, "-p", join(pkg, "tsconfig.build.json")], {
    stdio: "inherit",
  });
} catch {
  process.exit(1); // tsc has said why
}
const manifest = JSON.parse(readFileSync(join(pkg, "package.json"), "utf8"));
const typed = Object.values(manifest.exports).flatMap((target) => target.types ?? []);
finishDeclarations(
  dist,
  typed.map((path) => join(pkg, path)),
);
