import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const tsc = path("../../node_modules/typescript/bin/tsc");

function compile(project) {
  const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", project], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
}

test("the declarations accept what callers write and refuse what they must not", () => {
  compile(path("../test-d"));
});

test("the examples of the README, the guide, the adapters, the tests and the recipes compile", (t) => {
  const folder = path("../../target/examples/");
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const extend = {
    extends: "../../pkg/test-d/tsconfig.json",
    // The declarations of other libraries are theirs; test-d checks ours.
    compilerOptions: { jsx: "react-jsx", skipLibCheck: true },
    include: ["."],
  };
  writeFileSync(`${folder}tsconfig.json`, JSON.stringify(extend));
  let found = 0;
  for (const document of ["README", "docs/guide", "docs/adapters", "docs/testing", "docs/recipes"]) {
    const text = readFileSync(path(`../../${document}.md`), "utf8");
    for (const [, kind, code] of text.matchAll(/```(tsx?)\n(.*?)```/gs)) {
      // An example may say in its first line which file it is.
      const name = /^\/\/ (\S+\.tsx?)\n/.exec(code)?.[1] ?? `example-${(found += 1)}.${kind}`;
      writeFileSync(folder + name, code);
    }
  }
  assert.ok(found > 9, `${found} examples`);
  compile(folder);
});
