// Browsers and bundlers: the wasm is a file beside this one.

import { useEngine } from "../loading.ts";

useEngine({ url: () => new URL("./everfresh_bg.wasm", import.meta.url) });

export * from "../index.ts";
