// Cloudflare's runtime compiles wasm at deployment only, and hands out the module.

import wasm from "./everfresh_bg.wasm";

import { useWasm } from "../loading.ts";

useWasm({ now: () => wasm });

export * from "../index.ts";
