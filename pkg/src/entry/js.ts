// Plain JavaScript, without WebAssembly.

import plain from "./everfresh_js.js";

import { useEngine } from "../loading.ts";

useEngine({ now: () => plain }, async () => ({ default: plain }));

export * from "../index.ts";
