// Test runners, in the environments that they bring.

import { test } from "node:test";

import { outcomeOf, Project } from "./support/project.mjs";
import { world } from "./support/world.mjs";

const w = world({ browser: false });

/** A test file for a runner: what it imports, and a test that prints the outcome. */
const testFile = ({ environment, imports, node = false }) => `/**
 * @${environment}
 */
${imports}
test("signs in and refreshes", async () => {
  ${node ? "" : 'if (typeof document === "undefined") throw new Error("there should be a page");'}
  const outcome = await signInAndRefresh({ createSession, server: process.env.SERVER, fetch: request });
  console.log("outcome " + JSON.stringify(outcome));
}, 60000);
`;

for (const name of ["node", "jsdom", "happy-dom"]) {
  test(`Vitest, ${name}: signs in and refreshes`, async () => {
    const imports = `import { createSession } from "everfresh";
import { test } from "vitest";
import { signInAndRefresh } from "./scenario.js";
const request = globalThis.fetch;
// happy-dom's page lies nowhere, and may ask no server.
globalThis.happyDOM?.setURL(process.env.SERVER);`;
    const project = await Project.make("runners", `vitest-${name}`, {
      "a.test.js": testFile({ environment: `vitest-environment ${name}`, imports, node: name === "node" }),
    });
    const node = project.installed("node24/bin/node");
    await w.counted(async () => {
      const options = { node, env: { SERVER: w.server.url } };
      return outcomeOf(await project.run("vitest/vitest.mjs", ["run"], options));
    });
  });
}

/** jsdom has no fetch; a tester brings one. This is Node.js's own, by its module. */
const BY_HTTP = `const request = (url, { method = "GET", headers = {}, body } = {}) =>
  new Promise((resolve, reject) => {
    const plain = headers.entries ? Object.fromEntries(headers.entries()) : headers;
    const sent = http.request(url, { method, headers: plain }, (answer) => {
      let said = "";
      answer.setEncoding("utf8").on("data", (text) => (said += text)).on("end", () => resolve({
        ...{ ok: answer.statusCode === 200, status: answer.statusCode, type: "basic", url },
        headers: { get: (name) => answer.headers[name.toLowerCase()] ?? null },
        text: async () => said,
        json: async () => JSON.parse(said),
      }));
    });
    sent.on("error", reject).end(body);
  });`;
const FETCH = "const request = globalThis.fetch;";

for (const [environment, fetching, node] of [
  ["node", FETCH, true],
  ["jsdom", BY_HTTP, false],
  ["jest-fixed-jsdom", FETCH, false],
]) {
  const required = `const http = require("node:http");
const { createSession } = require("everfresh");
const { signInAndRefresh } = require("./scenario.js");
${fetching}`;
  const imported = `import http from "node:http";
import { createSession } from "everfresh";
import { signInAndRefresh } from "./scenario.js";
${fetching}`;
  for (const [format, imports, options] of [
    ["CommonJS", required, ""],
    ["ES modules", imported, "--experimental-vm-modules"],
  ]) {
    test(`Jest, ${format}, ${environment}: signs in and refreshes`, async () => {
      const project = await Project.make("runners", `jest-${options ? "esm" : "cjs"}-${environment}`);
      await project.write(
        "a.test.js",
        testFile({ environment: `jest-environment ${environment}`, imports, node }),
      );
      await project.write("package.json", JSON.stringify({ type: options ? "module" : "commonjs" }));
      if (!options) await project.asCommonJs("scenario.js");
      await w.counted(async () => {
        const env = { SERVER: w.server.url, NODE_OPTIONS: options };
        return outcomeOf(await project.run("jest/bin/jest.js", [], { env }));
      });
    });
  }
}
