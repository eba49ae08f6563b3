// The examples in JavaScript: a user signs in, meets an expired token, reloads and signs out.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";

import { freePort } from "../e2e/support/free-port.mjs";
import { within } from "../e2e/support/waiting.mjs";
import { ENVIRONMENT, installed, Project } from "./support/project.mjs";
import { world } from "./support/world.mjs";

const w = world();
const VITE = "vite/bin/vite.js";

for (const [example, framework] of [["vite-react", "React"], ["vue", "Vue"], ["svelte", "Svelte"]]) {
  test(`Vite 8, ${framework}: a build signs in and refreshes`, async (t) => {
    const project = await Project.make(example, "build");
    if (example === "vite-react") await project.run("typescript/bin/tsc", ["--noEmit"]);
    await project.run(VITE, ["build"]);
    await w.use(t, join(project.folder, "dist"));
    assert.equal((await project.files("dist", ".wasm")).length, 1);
  });
}

test("Vite 8: its development server signs in and refreshes", async (t) => {
  const project = await Project.make("vite-react", "dev");
  const args = ["--port", String(await freePort())];
  await w.use(t, await w.serve(t, project, VITE, args, /Local:\s+(http:\S+)/));
});

test("Angular: a build signs in and refreshes", async (t) => {
  const project = await Project.make("angular", "build");
  // Angular's tools want a newer one than the tests.
  const node = installed("runners", "node24/bin/node");
  await project.run("@angular/cli/bin/ng.js", ["build"], { node });
  await w.use(t, join(project.folder, "dist"));
});

test("an import map, without a bundler: signs in and refreshes", async (t) => {
  const project = await Project.make("script", "page");
  const dist = "node_modules/everfresh/dist";
  await cp(project.installed("everfresh/dist"), join(project.folder, dist), { recursive: true });
  await w.use(t, project.folder);
});

test("a program signs in, refreshes and signs out", async (t) => {
  const project = await Project.make("node", "program");
  const counted = await w.server.count();
  const program = spawn(process.execPath, [join(project.folder, "ask.js")], {
    ...{ env: { ...ENVIRONMENT, SERVER: w.server.url }, stdio: ["pipe", "pipe", "inherit"] },
  });
  t.after(() => program.kill());
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  const says = async (expected) => assert.match((await within(`${expected}`, lines.next())).value, expected);
  await says(/^signed in/);
  program.stdin.write("/api/me\n");
  await says(/^200 .*"sub"/);
  await w.server.advance(301);
  program.stdin.write("/api/me\n");
  await says(/^a new access token$/);
  await says(/^200 .*"sub"/);
  program.stdin.end();
  await says(/^signed out$/);
  assert.equal((await counted()).requests["POST /oauth/token"], 1);
  assert.equal((await counted()).requests["POST /oauth/revoke"], 1);
});
