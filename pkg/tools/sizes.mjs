// Prints the size of each file of a directory as JSON: { "name": [raw, gzip, brotli], ... }.
// Declarations count as one file, since an editor reads them all.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const directory = process.argv[2];
const contents = new Map();
for (const name of readdirSync(directory, { recursive: true }).sort()) {
  const types = name.endsWith(".d.ts");
  if (!types && !name.endsWith(".js") && !name.endsWith(".wasm")) continue;
  const label = types ? "*.d.ts" : name;
  const bytes = readFileSync(join(directory, name));
  contents.set(label, Buffer.concat([contents.get(label) ?? Buffer.alloc(0), bytes]));
}

const sizes = {};
for (const [name, bytes] of contents) {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  sizes[name] = [
    bytes.length,
    gzipSync(bytes, { level: 9 }).length,
    brotliCompressSync(bytes, { params }).length,
  ];
}
console.log(JSON.stringify(sizes));
