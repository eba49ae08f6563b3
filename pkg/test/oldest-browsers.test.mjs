// The oldest browsers that docs/browsers.md names can do what the built files need: their syntax, by
// esbuild; the built-in objects and Web APIs that they name, and the features of the WebAssembly, by
// MDN's data.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { transform } from "esbuild";

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const data = createRequire(import.meta.url)("@mdn/browser-compat-data");
const [, ...named] = /oldest are Chrome (\d+), Firefox (\d+) and Safari ([\d.]+)/.exec(read("docs/browsers.md"));
const OLDEST = { chrome: Number(named[0]), firefox: Number(named[1]), safari: Number(named[2]) };
/** What runs in Node.js only. */
const NODE = /^(dev-server|testing|workerd)/;
const files = readdirSync(new URL("../dist", import.meta.url)).filter((name) => /\.js$/.test(name) && !NODE.test(name));

/** Where something is newer than the oldest. */
function newerIn(support) {
  return Object.keys(OLDEST).filter((browser) => {
    const plain = [support[browser]].flat().find((it) => !it.flags && !it.prefix && !it.alternative_name && !it.version_removed);
    return !(Number.parseFloat(plain?.version_added) <= OLDEST[browser]);
  });
}

test("each file is written in a syntax that they read", async () => {
  const target = Object.entries(OLDEST).map(([browser, version]) => browser + version);
  // esbuild takes no browser for one that knows all of Unicode's properties.
  const supported = { "regexp-unicode-property-escapes": true };
  for (const name of files) {
    const code = read(`pkg/dist/${name}`);
    const [newest, oldest] = [await transform(code, { supported }), await transform(code, { target, supported })];
    assert.ok(newest.code === oldest.code, `${name} needs a newer browser than ${target}`);
  }
});

// What is newer and not needed.
const OPTIONAL = new Set([
  "dispose", // Symbol.dispose is looked for
  "fromBase64", // atob stands in for it
  "keepalive", // a Request without it has none
  ...["locks", "query", "request"], // Web Locks, which are looked for; the last two are words of ours too
  "randomUUID", // names sessions where there is no page
  "reason", // of a signal: an AbortError stands in for it
]);
/** Words of ours, as of other objects. */
const OURS = new Set(
  ["adopt", "bytes", "disposed", "grow", "install", "login", "memory", "restore", "timeout", "try", "use", "with"]
    .concat("InternalError"),
);

/** Objects of the Web that the package is given or makes. */
const INTERFACES =
  /^(Abort(Controller|Signal)|Blob|BroadcastChannel|Crypto|Document|Event(Target)?|File|FormData|Headers|Lock(Manager)?|Navigator|Performance|ReadableStream|Request|Response|Storage|Text(De|En)coder|URL(SearchParams)?|Window|Worker(GlobalScope|Navigator))$/;

test("each built-in object and Web API that a file names is there, or looked for first", () => {
  const newer = new Map();
  const known = new Set();
  const note = (name, { support }, path) => {
    const word = name.replace(/_(static|event)$/, "");
    if (newerIn(support).length === 0) known.add(word);
    else newer.set(word, path);
  };
  for (const [top, nodes] of [["javascript", data.javascript.builtins], ["api", data.api]]) {
    for (const [name, { __compat, ...members }] of Object.entries(nodes)) {
      if (__compat) note(name, __compat, `${top}.${name}`);
      if (top === "api" && !INTERFACES.test(name)) continue;
      for (const [member, its] of Object.entries(members)) {
        if (its.__compat) note(member, its.__compat, `${top}.${name}.${member}`);
      }
    }
  }
  const found = [];
  for (const name of files) {
    for (const word of new Set(read(`pkg/dist/${name}`).match(/\b[A-Za-z]\w{2,}/g))) {
      if (newer.has(word) && ![known, OPTIONAL, OURS].some((it) => it.has(word))) found.push(`${name}: ${newer.get(word)}`);
    }
  }
  assert.deepEqual(found, []);
});

/** Those of the WebAssembly, as wasm-opt calls them, and as MDN does. */
const FEATURES = {
  "bulk-memory-opt": "bulk-memory-operations",
  "nontrapping-float-to-int": "non-trapping-float-to-int-conversions",
  "sign-ext": "sign-extension-operations",
};

test("the WebAssembly needs no feature that they lack", () => {
  const file = fileURLToPath(new URL("../dist/everfresh_bg.wasm", import.meta.url));
  const tool = fileURLToPath(new URL("../../node_modules/binaryen/bin/wasm-opt", import.meta.url));
  const valid = (features) => {
    const flags = features.map((name) => `--enable-${name}`);
    return spawnSync(process.execPath, [tool, "--mvp-features", ...flags, file, "-o", "/dev/null"]).status === 0;
  };
  const all = Object.keys(FEATURES);
  assert.ok(valid(all), "it uses more than is named here");
  for (const [feature, name] of Object.entries(FEATURES)) {
    assert.ok(!valid(all.filter((other) => other !== feature)), `${feature} is no longer used`);
    assert.deepEqual(newerIn(data.webassembly[name].__compat.support), [], name);
  }
});
