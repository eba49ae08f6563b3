// Each bundler, with the settings that it starts with.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { Project } from "./support/project.mjs";
import { freePort } from "../e2e/support/free-port.mjs";
import { world } from "./support/world.mjs";

const w = world();

/** A page for those that make none. */
const page = (type) => `<!doctype html><script ${type} src="main.js"></script>`;
const MODULE = page('type="module"');
const CLASSIC = page("defer");

const rollup = (output, resolve) => `import { nodeResolve } from "@rollup/plugin-node-resolve";
export default { input: "main.js", output: ${output}, plugins: [nodeResolve(${resolve})] };`;

/** `kept`: how many wasm files lie in the result. */
const BUILDS = [
  ...[6, 7].map((major) => ({
    name: `Vite ${major}`,
    run: [`vite${major}/bin/vite.js`, "build"],
    kept: 1,
  })),
  ...["production", "development"].flatMap((mode) => {
    const options = ["--mode", mode, "--entry", "./main.js", "--output-path", "dist"];
    return [
      { name: `webpack 5, ${mode}`, run: ["webpack/bin/webpack.js", ...options], kept: 1, page: CLASSIC },
      { name: `Rspack, ${mode}`, run: ["@rspack/cli/bin/rspack.js", "build", ...options], kept: 1, page: CLASSIC },
    ];
  }),
  {
    name: "esbuild, a module",
    run: ["esbuild/bin/esbuild", "main.js", "--bundle", "--format=esm", "--outdir=dist"],
    page: MODULE,
  },
  {
    name: "esbuild, split",
    run: ["esbuild/bin/esbuild", "main.js", "--bundle", "--format=esm", "--splitting", "--outdir=dist"],
    page: MODULE,
  },
  {
    name: "esbuild, a script",
    run: ["esbuild/bin/esbuild", "main.js", "--bundle", "--minify", "--outdir=dist"],
    page: CLASSIC,
  },
  ...["{ browser: true }", ""].flatMap((resolve) => [
    {
      name: `Rollup, modules, nodeResolve(${resolve})`,
      config: rollup('{ dir: "dist", format: "es" }', resolve),
      run: ["rollup/dist/bin/rollup", "--config"],
      page: MODULE,
    },
    {
      name: `Rollup, one script, nodeResolve(${resolve})`,
      config: rollup('{ file: "dist/main.js", format: "iife" }', resolve),
      run: ["rollup/dist/bin/rollup", "--config"],
      page: CLASSIC,
    },
  ]),
  {
    name: "Parcel 2",
    run: ["parcel/lib/bin.js", "build", "index.html", "--dist-dir", "dist"],
    kept: 1,
  },
];

for (const { name, run, kept = 0, page, config } of BUILDS) {
  test(`${name}: a build signs in and refreshes`, async (t) => {
    const project = await Project.make("bundlers", name.replace(/\W+/g, "-"), {
      ...(config && { "rollup.config.mjs": config }),
      ...(page && { "index.html": null, "dist/index.html": page }),
    });
    await project.run(run[0], run.slice(1));
    await w.visit(t, join(project.folder, "dist"));
    assert.equal((await project.files("dist", ".wasm")).length, kept);
  });
}

for (const major of [6, 7]) {
  test(`Vite ${major}: its development server signs in and refreshes`, async (t) => {
    const project = await Project.make("bundlers", `vite-${major}-dev`);
    const args = ["--port", String(await freePort())];
    const url = await w.serve(t, project, `vite${major}/bin/vite.js`, args, /Local:\s+(http:\S+)/);
    await w.visit(t, url);
  });
}
