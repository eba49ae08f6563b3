// Cloudflare's runtime compiles wasm at deployment only, and hands out the module.

import wasm from "./everfresh_bg.wasm";

import { useEngine } from "../loading.ts";

useEngine({ now: () => wasm }, () => import("./everfresh_js.js"));

export * from "../index.ts";
