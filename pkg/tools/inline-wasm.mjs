// The esbuild plugin behind `import wasmBytes from "everfresh:wasm-bytes"`.

import { readFileSync } from "node:fs";

const specifier = /^everfresh:wasm-bytes$/;
const namespace = "wasm-bytes";

// A table, because `atob` and a callback for each character take longer than compiling the wasm. It begins
// after the text's first line break; `fromBase64` skips white space.
const decode = `
export default function wasmBytes() {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const values = new Uint8Array(128);
  for (let i = 0; i < 64; i++) values[alphabet.charCodeAt(i)] = i;
  const bytes = new Uint8Array(length);
  for (let at = 1, out = 0; out < length; at += 4) {
    const bits =
      (values[text.charCodeAt(at)] << 18) |
      (values[text.charCodeAt(at + 1)] << 12) |
      (values[text.charCodeAt(at + 2)] << 6) |
      values[text.charCodeAt(at + 3)];
    bytes[out++] = bits >> 16;
    bytes[out++] = bits >> 8; // writes past the end are ignored
    bytes[out++] = bits;
  }
  return bytes;
}`;

/** Inlines the wasm file at `path` as base64, decoded when it is asked for. */
export function inlineWasm(path) {
  return {
    name: "inline-wasm",
    setup(build) {
      build.onResolve({ filter: specifier }, ({ path }) => ({ path, namespace }));
      build.onLoad({ filter: specifier, namespace }, () => {
        const bytes = readFileSync(path);
        const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const text = bytes.toString("base64");
        // Node.js prints the line of an uncaught error, so the text has a line of its own. A template without
        // a tag would be wrapped by esbuild's lineLimit, which costs 1.5 kB after compression.
        const contents = `
          const text = String.raw\`\n${text}\n\`;
          const length = ${bytes.length};
          const alphabet = "${alphabet}";
          ${decode}`;
        return { contents, loader: "js", watchFiles: [path] };
      });
    },
  };
}
