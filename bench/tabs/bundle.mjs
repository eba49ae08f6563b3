// Pages that a package keeps signed in, one folder each.

import { cp, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What is compared; `peers/tabs` holds how each is set up. */
export const CONTENDERS = [
  "everfresh",
  "auth0-spa-js",
  "oidc-client-ts",
  "supabase-auth-js",
  "supertokens-website",
];

/** The files of a contender's page; gives their folder. */
export async function bundle(name) {
  const folder = join(root, "target/bench/tabs", name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await cp(join(root, "pkg/dist/everfresh_bg.wasm"), join(folder, "everfresh_bg.wasm"));
  await cp(join(root, "bench/tabs/clock.js"), join(folder, "clock.js"));
  await build({
    entryPoints: { page: join(root, "bench/tabs/page.js") },
    outdir: folder,
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "browser",
    define: { "process.env.NODE_ENV": '"production"', global: "globalThis" },
    alias: {
      contender: join(root, "bench/peers/tabs", `${name}.mjs`),
      everfresh: join(root, "pkg/dist/url.js"),
    },
    logLevel: "error",
  });
  return folder;
}
