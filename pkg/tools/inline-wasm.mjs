// The esbuild plugin behind `import wasmBytes from "everfresh:wasm-bytes"`.

import { readFileSync } from "node:fs";

const specifier = /^everfresh:wasm-bytes$/;
const namespace = "wasm-bytes";

// A table, because `atob` and a callback for each character take longer than compiling the wasm.
const decode = `
export default function wasmBytes() {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const values = new Uint8Array(128);
  for (let i = 0; i < 64; i++) values[alphabet.charCodeAt(i)] = i;
  const bytes = new Uint8Array(length);
  for (let at = 0, out = 0; out < length; at += 4) {
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
        const constants = { text, length: bytes.length, alphabet };
        const lines = Object.entries(constants).map(
          ([name, value]) => `const ${name} = ${JSON.stringify(value)};`,
        );
        return { contents: lines.join("\n") + decode, loader: "js", watchFiles: [path] };
      });
    },
  };
}
