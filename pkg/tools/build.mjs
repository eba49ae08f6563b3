// Builds pkg/dist from pkg/src and pkg/wasm: one file an entry, the wasm and the plain JavaScript
// that they load beside them, and the type declarations. `cargo xtask` runs it after the wasm build.
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
import { inARealm } from "./in-a-realm.mjs";
import { inlineWasm } from "./inline-wasm.mjs";

const pkg = join(dirname(fileURLToPath(import.meta.url)), "..");
const root = join(pkg, "..");
const dist = join(pkg, "dist");
const wasm = join(pkg, "wasm", "everfresh_bg.wasm");
const metafile = process.argv[2];

const manifest = JSON.parse(readFileSync(join(pkg, "package.json"), "utf8"));
const entries = ["entry", "adapters"].flatMap((folder) =>
  readdirSync(join(pkg, "src", folder)).map((name) => join(pkg, "src", folder, name)),
);

/** Whoever imports the inline entry shares it with the application. */
const inlineEntryBeside = {
  name: "inline-entry-beside",
  setup(build) {
    const filter = /\/entry\/inline\.ts$/;
    build.onResolve({ filter }, ({ kind }) =>
      kind === "entry-point" ? undefined : { path: "./inline.js", external: true },
    );
  },
};

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
copyFileSync(wasm, join(dist, "everfresh_bg.wasm"));

const options = {
  absWorkingDir: root,
  bundle: true,
  // Shared chunks would cost a user of one entry bytes and a request: they never use two.
  splitting: false,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  external: [
    "./everfresh_bg.wasm",
    "./everfresh_js.js",
    "node:*",
    ...Object.keys(manifest.peerDependencies).flatMap((name) => [name, `${name}/*`]),
  ],
  plugins: [inlineWasm(wasm), inlineEntryBeside],
  logLevel: "warning",
};
const built = await esbuild.build({
  ...options,
  entryPoints: [
    ...entries.map((path) => ({ in: path, out: basename(path, ".ts") })),
    { in: join(pkg, "wasm", "everfresh_js.js"), out: "everfresh_js" },
  ],
  outdir: dist,
  // The maps stay out of the tarball, so the files must not point at them.
  sourcemap: "external",
  metafile: true,
  plugins: [...options.plugins, inARealm(join(pkg, "src", "entry", "inline.ts"), options)],
});
if (metafile) {
  mkdirSync(dirname(metafile), { recursive: true });
  writeFileSync(metafile, JSON.stringify(built.metafile));
}
if (built.warnings.length > 0) process.exit(1);

const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
try {
  execFileSync(process.execPath, [tsc, "-p", join(pkg, "tsconfig.build.json")], {
    stdio: "inherit",
  });
} catch {
  process.exit(1); // tsc has said why
}
const typed = Object.values(manifest.exports).flatMap((target) => target.types ?? []);
finishDeclarations(
  dist,
  typed.map((path) => join(pkg, path)),
);
