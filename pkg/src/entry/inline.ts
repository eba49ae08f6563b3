// Everywhere else: the wasm is inside.

import wasmBytes from "everfresh:wasm-bytes";

import { useEngine } from "../loading.ts";

useEngine({ now: wasmBytes });

export * from "../index.ts";
