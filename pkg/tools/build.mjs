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
const plain = join(pkg, "wasm", "everfresh_js.js");
const inline = join(pkg, "src", "entry", "inline.ts");
const coders = join(pkg, "src", "text-coders.ts");

/** Whether CommonJS can have it: what it is for may be there as ES modules only. */
const targets = Object.values(manifest.exports);
const isRequired = (name) => targets.some((target) => target.require === `./dist/${name}.cjs`);
/** Whether tests may run it in a realm that lacks half of the platform. */
const isBare = (name) => /^(inline|js)$/.test(name);

/** What lies beside an entry, and is loaded by it. */
const beside = (extension) => ({
  name: "beside",
  setup(build) {
    build.onResolve({ filter: /^\.\/everfresh_js\.js$/ }, () => ({
      ...{ path: `./everfresh_js${extension}`, external: true },
    }));
    // An importer of the inline entry shares it with the application.
    build.onResolve({ filter: /\/entry\/inline\.ts$/ }, ({ kind }) =>
      kind === "entry-point" ? undefined : { path: `./inline${extension}`, external: true },
    );
  },
});

/** What all builds have in common; `coders` are there for realms that have none. */
const shared = (extension) => ({
  absWorkingDir: root,
  bundle: true,
  // Shared chunks would cost a user of one entry bytes and a request: they never use two.
  splitting: false,
  platform: "neutral",
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  external: [
    "./everfresh_bg.wasm",
    "node:*",
    ...Object.keys(manifest.peerDependencies).flatMap((name) => [name, `${name}/*`]),
  ],
  plugins: [inlineWasm(wasm), beside(extension)],
  logLevel: "warning",
});

async function bundle(paths, format, more) {
  const extension = format === "cjs" ? ".cjs" : ".js";
  const options = { ...shared(extension), ...more };
  const realm = inARealm(inline, { ...options, inject: [coders] });
  const { warnings, metafile } = await esbuild.build({
    ...options,
    entryPoints: paths.map((path) => ({ in: path, out: basename(path).replace(/\.[jt]s$/, "") })),
    outdir: dist,
    outExtension: { ".js": extension },
    format,
    // The maps stay out of the tarball, so the files must not point at them.
    sourcemap: "external",
    metafile: true,
    plugins: [...options.plugins, realm],
  });
  if (warnings.length > 0) process.exit(1);
  return metafile;
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
copyFileSync(wasm, join(dist, "everfresh_bg.wasm"));

const nameOf = (path) => basename(path, ".ts");
// Node.js prints the line of an uncaught error before its message.
const lineLimit = 500;
const bare = entries.filter((path) => isBare(nameOf(path)));
const built = [
  await bundle([...entries.filter((path) => !isBare(nameOf(path))), plain], "esm"),
  await bundle(bare, "esm", { inject: [coders], lineLimit }),
];
const commonJs = {
  inject: [coders],
  lineLimit,
  // An import() of Jest's needs a flag of Node.js.
  supported: { "dynamic-import": false },
};
await bundle([...entries.filter((path) => isRequired(nameOf(path))), plain], "cjs", commonJs);
if (metafile) {
  mkdirSync(dirname(metafile), { recursive: true });
  const merged = (of) => Object.assign({}, ...built.map((it) => it[of]));
  writeFileSync(metafile, JSON.stringify({ inputs: merged("inputs"), outputs: merged("outputs") }));
}

const classic = join(pkg, "src", "classic");
for (const name of readdirSync(classic)) {
  // What a browser has to read that can read nothing else.
  const { code } = await esbuild.transform(readFileSync(join(classic, name)), {
    ...{ minify: true, target: "es5", charset: "ascii" },
  });
  writeFileSync(join(dist, name), code);
}

const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
try {
  execFileSync(process.execPath, [tsc, "-p", join(pkg, "tsconfig.build.json")], {
    stdio: "inherit",
  });
} catch {
  process.exit(1); // tsc has said why
}
finishDeclarations(
  dist,
  targets.flatMap(({ types }) => types?.default ?? types ?? []).map((path) => join(pkg, path)),
  targets.flatMap(({ types }) => types?.require ?? []).map((path) => join(pkg, path)),
);
