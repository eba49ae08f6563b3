// Next.js: the example, with a server component and a route on the edge runtime that sign in too.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Project } from "./support/project.mjs";
import { world } from "./support/world.mjs";

const w = world();

const IMPORTS = (up) => `import { createSession } from "everfresh";
import { signInAndRefresh } from "${up}scenario.js";
`;
const FILES = {
  "scenario.js": readFileSync(new URL("app/scenario.js", import.meta.url), "utf8"),
  "app/server/page.js": `${IMPORTS("../../")}
export default async function Page({ searchParams }) {
  const { server } = await searchParams;
  return <p data-outcome={JSON.stringify(await signInAndRefresh({ createSession, server }))} />;
}`,
  "app/edge/route.js": `${IMPORTS("../../")}
export const runtime = "edge";
export async function GET({ url }) {
  const server = new URL(url).searchParams.get("server");
  return Response.json(await signInAndRefresh({ createSession, server }));
}`,
};

const NEXT = "next/dist/bin/next";
const SAYS = /Local:\s+(http:\S+)/;

/** All three of a server that runs. */
async function lookAtAll(t, url) {
  const ask = async (path) => {
    const response = await fetch(`${url}${path}?server=${w.server.url}`);
    return response.text();
  };
  await w.counted(async () => {
    const html = await ask("/server");
    const found = /data-outcome="([^"]+)"/.exec(html);
    assert.ok(found, html);
    return JSON.parse(found[1].replaceAll("&quot;", '"'));
  });
  await w.counted(async () => {
    const text = await ask("/edge");
    return text.startsWith("{") ? JSON.parse(text) : text;
  });
  await w.use(t, url);
}

for (const [name, ...flags] of [["Turbopack"], ["webpack", "--webpack"]]) {
  test(`Next.js, ${name}: its development server signs in and refreshes`, async (t) => {
    const project = await Project.make("next", `dev-${name}`, FILES);
    await lookAtAll(t, await w.serve(t, project, NEXT, ["dev", "-p", "0", ...flags], SAYS));
  });

  test(`Next.js, ${name}: a build signs in and refreshes`, async (t) => {
    const project = await Project.make("next", `build-${name}`, FILES);
    await project.run(NEXT, ["build", ...flags]);
    await lookAtAll(t, await w.serve(t, project, NEXT, ["start", "-p", "0"], SAYS));
    assert.equal((await project.files(".next/static", ".wasm")).length, 1);
    assert.equal((await project.files(".next", ".wasm")).length, 1);
  });
}
