// The esbuild plugin that writes the glue anew, from what wasm-bindgen wrote: numbers need none, so
// what takes and gives numbers is what the wasm exports. Whatever it does not know ends the build.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What the wasm imports: name, parameters, body. */
const imported = /^ {8}(__\w+): function\((.*)\) \{\n([^]*?)\n {8}\},$/gm;
/** What the crate exports. */
const exported = /^export function (\w+)\((.*)\) \{\n([^]*?)\n\}$/gm;
/** A call that hands over numbers, and a result that is one or tells by being 0 or not. */
const direct = /^ {4}(?:const ret = )?wasm\.\w+\([\w, ]*\);(?:\n {4}return ret(?: !== 0)?;)?$/;
/** What imports may use of wasm-bindgen's own. */
const readers = /\bget(?:ArrayU8|String)FromWasm0\(/g;
/** A table of objects, in which there never is one. */
const TABLE = "__wbindgen_init_externref_table";
const START = "__wbindgen_start";
const MALLOC = "__wbindgen_malloc";

/** The glue; `names` tells what wasm-opt made of the names that cross the border. */
function glue(generated, names) {
  const short = new Map([...names.imports.map(([, ...pair]) => pair), ...names.exports]);
  const imports = [...generated.matchAll(imported)].map(([text, name, parameters, body]) => {
    if (name === TABLE) return `${short.get(name)}() {}`;
    if (/Wasm\d|wasm\./.test(body.replace(readers, ""))) throw new Error(`cannot trim ${text}`);
    return `${short.get(name)}: (${parameters}) => { ${body.replace("? undefined :", "? null :")} }`;
  });
  const functions = [...generated.matchAll(exported)].flatMap(([text, name, parameters, body]) => {
    if (name === "hear" && parameters === "text") return [];
    if (!direct.test(body)) throw new Error(`cannot trim ${text}`);
    return name;
  });
  const taken = [...functions, "memory"].map((name) => `${short.get(name)}: ${name}`);
  return `
    import { said, utf8 } from "../src/host.ts";
    export let ${functions};
    let memory, malloc, take;
    const getArrayU8FromWasm0 = (at, length) => new Uint8Array(memory.buffer, at, length);
    const getStringFromWasm0 = (at, length) => utf8.decode(getArrayU8FromWasm0(at, length));
    export function hear(text) {
      const bytes = new TextEncoder().encode(text);
      const at = malloc(bytes.length, 1);
      getArrayU8FromWasm0(at, bytes.length).set(bytes);
      take(at, bytes.length);
    }
    export function initSync(module) {
      const { exports } = new WebAssembly.Instance(module, { a: { ${imports} } });
      ({ ${taken}, ${short.get(MALLOC)}: malloc, ${short.get("hear")}: take } = exports);
      ${short.has(START) ? `exports.${short.get(START)}();` : ""}
    }`;
}

/** Replaces the generated module at `path`. */
export function trimGlue(path) {
  return {
    name: "trim-glue",
    setup(build) {
      build.onLoad({ filter: /[\\/]wasm[\\/]everfresh\.js$/ }, () => {
        const names = JSON.parse(readFileSync(join(dirname(path), "names.json"), "utf8"));
        return { contents: glue(readFileSync(path, "utf8"), names), resolveDir: dirname(path) };
      });
    },
  };
}
