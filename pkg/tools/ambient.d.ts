// What the entries import beyond TypeScript files, and what bundlers put in place.

/** The wasm, inlined by the build: `tools/build.mjs` makes this module. */
declare module "everfresh:wasm-bytes" {
  /** Decodes the wasm anew on each call; importing decodes nothing. */
  export default function wasmBytes(): Uint8Array<ArrayBuffer>;
}

/** The package as a function of the globals that it looks at: `tools/in-a-realm.mjs` makes this module. */
declare module "everfresh:in-a-realm" {
  /** Each call is a tab of its own. */
  export default function instantiate(
    globals: object,
  ): Pick<typeof import("../src/index.ts"), "createSession">;
}

/** On workerd a wasm file is imported as a compiled module. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

/** The engine as plain JavaScript, made of the wasm by the build. */
declare module "*/everfresh_js.js" {
  /** Takes what the wasm imports, and returns what it exports. */
  export default function instantiate(imports: WebAssembly.Imports): WebAssembly.Exports;
}

interface ImportMeta {
  readonly env?: { readonly PROD?: boolean };
}

declare const process: { readonly env: Readonly<Record<string, string | undefined>> };
