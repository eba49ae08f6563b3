// Browsers and bundlers: the wasm is a file beside this one.

import { useWasm } from "../loading.ts";

useWasm({ url: () => new URL("./everfresh_bg.wasm", import.meta.url) });

export * from "../index.ts";
