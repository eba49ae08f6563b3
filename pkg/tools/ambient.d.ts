// What the entries import beyond TypeScript files, and the little of Node that they need.

/** The wasm, inlined by the build: `tools/build.mjs` makes this module. */
declare module "everfresh:wasm-bytes" {
  /** Decodes the wasm anew on each call; importing decodes nothing. */
  export default function wasmBytes(): Uint8Array<ArrayBuffer>;
}

/** On workerd a wasm file is imported as a compiled module. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "node:fs" {
  export function readFileSync(path: URL): Uint8Array<ArrayBuffer>;
}
