// Node.js: the wasm is read from disk.

import { readFileSync } from "node:fs";

import { useWasm } from "../loading.ts";

useWasm({ now: () => readFileSync(new URL("./everfresh_bg.wasm", import.meta.url)) });

export * from "../index.ts";
