// Edge servers that only render: sessions stay `unknown` and nothing is loaded.

import { WasmLoadError } from "../errors.ts";
import { remedy, useEngine } from "../loading.ts";

useEngine({
  url: () => {
    throw new WasmLoadError(`this entry has no wasm of its own: ${remedy}`);
  },
});

export * from "../index.ts";
