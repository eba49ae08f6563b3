import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { compileScript, parse } from "vue/compiler-sfc";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const tsc = path("../../node_modules/typescript/bin/tsc");

/** What the types of "vite/client" say of a module that is replaced. */
const VITE_CLIENT = `interface ViteHotContext {
  readonly data: any;
  accept(dep: string, callback: (module: unknown) => void): void;
  dispose(callback: (data: any) => void): void;
}
interface ImportMeta {
  readonly hot?: ViteHotContext;
}
`;

function compile(project) {
  const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", project], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
}

test("the declarations accept what callers write and refuse what they must not", () => {
  compile(path("../test-d"));
});

test("the declarations compile where a library of types is old, or has no page", (t) => {
  const folder = path("../../target/consumers/");
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  rmSync(folder, { recursive: true, force: true });
  const uses = `import { createSession, init, type Session } from "everfresh";
const session: Session = createSession({ refresh: "/token" });
session.dispose();
void init({ bytes: new Uint8Array(8) });
`;
  const disposes = 'using other = createSession({ refresh: "/token" });\nvoid other;\n';
  const bundler = { module: "ESNext", moduleResolution: "Bundler", types: [] };
  const nodenext = { module: "NodeNext", moduleResolution: "NodeNext", types: ["node"] };
  for (const [name, file, code, options] of [
    ["page", "a.ts", uses, { ...bundler, lib: ["ES2022", "DOM"] }],
    ["worker", "a.ts", uses, { ...bundler, lib: ["ES2022", "WebWorker"] }],
    ["newest", "a.ts", uses + disposes, { ...bundler, lib: ["ESNext", "DOM"] }],
    ["node", "a.mts", uses, { ...nodenext, lib: ["ES2022"] }],
    ["commonjs", "a.cts", uses, { ...nodenext, lib: ["ES2022"] }],
    ["node16", "a.cts", uses, { ...nodenext, module: "Node16", moduleResolution: "Node16", lib: ["ES2022"] }],
  ]) {
    mkdirSync(folder + name, { recursive: true });
    writeFileSync(`${folder}${name}/${file}`, code);
    const compilerOptions = { ...options, target: "ES2022", strict: true, noEmit: true, skipLibCheck: false };
    writeFileSync(`${folder}${name}/tsconfig.json`, JSON.stringify({ compilerOptions, include: ["."] }));
    compile(folder + name);
  }
});

test("the examples of the README, the guide, the adapters, the tests, the recipes and the demo compile", (t) => {
  const folder = path("../../target/examples/");
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const extend = {
    extends: "../../pkg/test-d/tsconfig.json",
    // The declarations of other libraries are theirs; test-d checks ours.
    // Vue's compiler declares an $event for each listener.
    compilerOptions: { jsx: "react-jsx", skipLibCheck: true, noUnusedParameters: false },
    include: ["."],
  };
  writeFileSync(`${folder}tsconfig.json`, JSON.stringify(extend));
  writeFileSync(`${folder}vite.d.ts`, 'declare module "@vitejs/plugin-react" {\n  export default function react(): unknown;\n}\n');
  let found = 0;
  for (const document of ["README", "docs/guide", "docs/adapters", "docs/testing", "docs/recipes"]) {
    const text = readFileSync(path(`../../${document}.md`), "utf8");
    for (const [, kind, code] of text.matchAll(/```(tsx?)\n(.*?)```/gs)) {
      // An example may say in its first line which file it is.
      const name = /^\/\/ (\S+\.tsx?)\n/.exec(code)?.[1] ?? `example-${(found += 1)}.${kind}`;
      writeFileSync(folder + name, code);
    }
    for (const [, code, name] of text.matchAll(/```vue\n(<!-- (\S+\.vue).*?)```/gs)) {
      const { descriptor } = parse(code);
      writeFileSync(`${folder}${name}.ts`, compileScript(descriptor, { id: name, inlineTemplate: true }).content);
    }
  }
  const [, lines] = /<code id="code">(.*?)<\/code>/s.exec(readFileSync(path("../../www/index.html"), "utf8"));
  writeFileSync(`${folder}demo.ts`, `declare const tokens: string;\n${lines}\nvoid response;\n`);
  assert.ok(found > 9, `${found} examples`);
  compile(folder);
  writeFileSync(`${folder}vite-client.d.ts`, VITE_CLIENT);
  compile(folder);
});
