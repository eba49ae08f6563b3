// Rollup, and all that resolve as it does. Vite and Next.js take files along that are written as
// here, and drop what is inside; Rollup itself takes none. Nor does it write one file where there
// is an import() that it can follow.

import wasmBytes from "everfresh:wasm-bytes";

import { useEngine } from "../loading.ts";

const takesFiles =
  import.meta.env?.PROD || (typeof process === "object" && process.env["TURBOPACK"]);

useEngine(
  takesFiles
    ? { url: () => new URL("./everfresh_bg.wasm", import.meta.url) }
    : { now: wasmBytes },
  () => import(/* @vite-ignore */ /* turbopackIgnore: true */ `${new URL("./everfresh_js.js", import.meta.url)}`),
);

export * from "../index.ts";
