// Node.js: the wasm is read from disk.

import { readFileSync } from "node:fs";

import { useEngine } from "../loading.ts";

useEngine({ now: () => readFileSync(new URL("./everfresh_bg.wasm", import.meta.url)) });

export * from "../index.ts";
