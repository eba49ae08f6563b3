// Runtimes without a page: `import` and `require` in Node.js, Deno, Bun, Cloudflare's workerd.

import { test } from "node:test";

import { outcomeOf, Project } from "./support/project.mjs";
import { freePort } from "../e2e/support/free-port.mjs";
import { world } from "./support/world.mjs";

const w = world();

const THEN = `signInAndRefresh({ createSession, server: globalThis.process.argv.at(-1) }).then(
  (outcome) => console.log("outcome " + JSON.stringify(outcome)),
);`;
const IMPORTING = `import { createSession } from "everfresh";
import { signInAndRefresh } from "./scenario.js";
${THEN}`;
const REQUIRING = `const { createSession } = require("everfresh");
import("./scenario.js").then(({ signInAndRefresh }) => ${THEN.replace(/;$/, "")});`;

const make = (name) =>
  Project.make("runtimes", name, { "importing.mjs": IMPORTING, "requiring.cjs": REQUIRING });

/** Runs a program of a package, and holds what it prints against what all should come to. */
async function runs(name, program, args) {
  const project = await make(name);
  await w.counted(async () => outcomeOf(await project.run(program, [...args, w.server.url])));
}

for (const version of ["20-old", "20", "22", "24"]) {
  for (const script of ["importing.mjs", "requiring.cjs"]) {
    test(`Node.js ${version}, ${script}: signs in and refreshes`, () => {
      return runs(`node${version}-${script}`, `node${version}/bin/node`, [script]);
    });
  }
}

const BUN = "@oven/bun-linux-x64/bin/bun";

test("Deno: signs in and refreshes, and needs no leave but for the network", () => {
  return runs("deno", "@deno/linux-x64-glibc/deno", ["run", "--allow-net", "importing.mjs"]);
});

test("Bun: signs in and refreshes", () => runs("bun", BUN, ["importing.mjs"]));

for (const flags of [[], ["--production"]]) {
  test(`bun build ${flags}: a build signs in and refreshes`, async (t) => {
    const html = `<!doctype html><script type="module" src="main.js"></script>`;
    const files = { "index.html": null, "dist/index.html": html };
    const project = await Project.make("runtimes", `bun-build${flags}`, files);
    await project.run(BUN, ["build", "main.js", "--outdir", "dist", ...flags]);
    await w.visit(t, `${project.folder}/dist`);
  });
}

test("workerd, by wrangler: signs in and refreshes", async (t) => {
  const project = await Project.make("runtimes", "workerd", {
    "worker.js": `import { createSession } from "everfresh";
import { signInAndRefresh } from "./scenario.js";
export default {
  async fetch({ url }) {
    const server = new URL(url).searchParams.get("server");
    return Response.json(await signInAndRefresh({ createSession, server }));
  },
};`,
    "wrangler.toml": `name = "everfresh"\nmain = "worker.js"\ncompatibility_date = "2026-11-01"\n`,
  });
  const [port, inspector] = [await freePort(), await freePort()];
  const args = ["dev", "--port", String(port), "--inspector-port", String(inspector)];
  const node = project.installed("node24/bin/node");
  const url = await w.serve(t, project, "wrangler/bin/wrangler.js", args, /Ready on (http:[\w/.:]+)/, { node });
  await w.counted(async () => {
    const response = await fetch(`${url}?server=${w.server.url}`);
    const text = await response.text();
    return text.startsWith("{") ? JSON.parse(text) : text;
  });
});
