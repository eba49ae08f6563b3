import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const dist = (name) => fileURLToPath(new URL(`../dist/${name}`, import.meta.url));

/** What a bundler that splits makes of an application that imports an entry: inputs by output. */
async function bundle(name) {
  const { metafile } = await build({
    stdin: { contents: `export * from "./${name}.js"`, resolveDir: dist("") },
    ...{ bundle: true, splitting: true, format: "esm", outdir: "out", write: false },
    ...{ metafile: true, external: ["*.wasm"], logLevel: "error" },
  });
  const code = Object.values(metafile.outputs).map(({ inputs }) => Object.keys(inputs).join());
  return code.filter((inputs) => inputs.includes("dist/")).map((inputs) => inputs.split(","));
}

test("a bundler keeps plain JavaScript in a chunk of its own", async () => {
  for (const name of ["url", "inline", "workerd"]) {
    const chunks = await bundle(name);
    const [plain, ...more] = chunks.filter((it) => it.some((path) => path.endsWith("everfresh_js.js")));
    assert.equal(plain?.length, 1, `${name}: ${JSON.stringify(chunks)}`);
    assert.deepEqual(more, []);
  }
});
