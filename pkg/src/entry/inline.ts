// Runs everywhere: the wasm is inside.

import wasmBytes from "everfresh:wasm-bytes";

import { useEngine } from "../loading.ts";

useEngine({ now: wasmBytes }, () => import("./everfresh_js.js"));

export * from "../index.ts";
