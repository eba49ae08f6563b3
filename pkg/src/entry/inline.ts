// Everywhere else: the wasm is inside.

import wasmBytes from "everfresh:wasm-bytes";

import { useWasm } from "../loading.ts";

useWasm({ now: wasmBytes });

export * from "../index.ts";
