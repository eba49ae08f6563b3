// The esbuild plugin that shortens the glue of wasm-bindgen. The version is pinned, and a rule that
// matches nothing ends the build: then the glue has changed, and the rules must follow.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const rules = [
  {
    // Reallocation for texts that are mostly ASCII: ours are short.
    find: /function passStringToWasm0[^]*?\n}\n/,
    put: `function passStringToWasm0(text, malloc) {
      const bytes = new TextEncoder().encode(text);
      const at = malloc((WASM_VECTOR_LEN = bytes.length), 1) >>> 0;
      getUint8ArrayMemory0().set(bytes, at);
      return at;
    }`,
  },
  {
    // Counting up to where Safari's decoder gives up: a new one starts from zero.
    find: /let cachedTextDecoder [^]*?\nfunction decodeText[^]*?\n}\n/,
    put: `function decodeText(bytes) {
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    }`,
  },
  { find: /, wasm\.__wbindgen_realloc/g, put: "" },
  { find: /const cachedTextEncoder = [^]*?\n}\n/, put: "" },
  {
    // A table of objects, in which there never is one.
    find: /__wbindgen_init_externref_table: function\(\) {[^]*?\n {8}},/,
    put: "__wbindgen_init_externref_table() {},",
  },
  { find: /let wasmModule, wasmInstance, wasm;/, put: "let wasm;" },
  {
    // Parameters of older versions; bytes that are no module yet stay allowed.
    find: /function __wbg_finalize_init[^]*?\nfunction initSync[^]*?\n}\n/,
    put: `function initSync(source) {
      const module = source instanceof WebAssembly.Module ? source : new WebAssembly.Module(source);
      wasm = new WebAssembly.Instance(module, __wbg_get_imports()).exports;
      wasm.__wbindgen_start();
    }`,
  },
  { find: /let __wbg_init_promise;[^]*?(?=export \{)/, put: "" },
  { find: /export \{ initSync, __wbg_init as default \};/, put: "export { initSync };" },
];

/** The rules that give what crosses the border the names that wasm-opt gave it. */
function namesOf(path) {
  const { imports, exports } = JSON.parse(readFileSync(path, "utf8"));
  return [
    { find: /"\.\/everfresh_bg\.js"(?=: import0)/, put: "a" },
    ...imports.map(([, name, put]) => ({ find: new RegExp(`\\b${name}\\b`), put })),
    ...exports.map(([name, short]) => ({
      find: new RegExp(`\\bwasm\\.${name}\\b`, "g"),
      put: `wasm.${short}`,
    })),
  ];
}

/** Shortens the generated module at `path`. */
export function trimGlue(path) {
  return {
    name: "trim-glue",
    setup(build) {
      build.onLoad({ filter: /[\\/]wasm[\\/]everfresh\.js$/ }, () => {
        let contents = readFileSync(path, "utf8");
        const names = namesOf(join(dirname(path), "names.json"));
        for (const { find, put } of [...rules, ...names]) {
          if (!find.test(contents)) return { errors: [{ text: `${path} holds no ${find}` }] };
          contents = contents.replace(find, () => put);
        }
        return { contents, loader: "js" };
      });
    },
  };
}
