// The esbuild plugin behind `import instantiate from "everfresh:in-a-realm"`: the package as a function
// of the globals that it looks at, so that each call is another tab.

import { build } from "esbuild";

const specifier = /^everfresh:in-a-realm$/;
const namespace = "in-a-realm";

/** What the engine and the API look up by name; all else they find in `globalThis`. */
const NAMES = ["Date", "performance", "setTimeout", "clearTimeout", "BroadcastChannel", "document", "location", "fetch"];

/** Wraps the entry at `path`, built with `options`. */
export function inARealm(path, options) {
  return {
    name: "in-a-realm",
    setup(outer) {
      outer.onResolve({ filter: specifier }, ({ path }) => ({ path, namespace }));
      outer.onLoad({ filter: specifier, namespace }, async () => {
        const { outputFiles } = await build({
          ...options,
          entryPoints: [path],
          format: "iife",
          globalName: "everfresh",
          write: false,
        });
        const contents = `export default function instantiate(globalThis) {
          const { ${NAMES.join(", ")} } = globalThis;
          ${outputFiles[0].text}
          return everfresh;
        }`;
        return { contents, loader: "js" };
      });
    },
  };
}
