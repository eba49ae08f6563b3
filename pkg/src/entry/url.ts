// webpack and its like, and no bundler at all: the wasm is a file beside this one.

import { useEngine } from "../loading.ts";

useEngine(
  { url: () => new URL("./everfresh_bg.wasm", import.meta.url) },
  () => import("./everfresh_js.js"),
);

export * from "../index.ts";
