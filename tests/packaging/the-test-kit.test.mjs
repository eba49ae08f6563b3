// `everfresh/testing` in test runners, with and without their fake timers. No server is needed.

import { test } from "node:test";

import { Project } from "./support/project.mjs";

/** A test file for a runner; `fake` and `real` are what its timers hear. */
const testFile = ({ environment, imports, fake, real }) => `/**
 * @${environment}
 */
${imports}
for (const fakes of [false, true]) {
  test("idleness ends a session in no time, with fake timers: " + fakes, async () => {
    if (fakes) ${fake};
    const before = Date.now();
    const kit = createTestKit({ idleSeconds: 600, idleMode: "end" });
    kit.session.start(kit.server.signIn());
    await kit.clock.advance(560);
    expect(kit.session.snapshot.status).toBe("warning");
    expect((await kit.session.fetch("/api/me")).status).toBe(200);
    if (fakes) expect(Date.now() - before).toBe(560_000);
    await kit.clock.advance(60);
    expect(kit.session.snapshot.reason).toBe("idle");
    kit.reset();
    ${real};
  });
}
test("a component's state is what the test says", () => {
  expect(fakeSession({ status: "stale" }).snapshot.status).toBe("stale");
});
`;

for (const name of ["node", "jsdom", "happy-dom"]) {
  test(`Vitest, ${name}`, async () => {
    const imports = `import { createTestKit, fakeSession } from "everfresh/testing";
import { expect, test, vi } from "vitest";`;
    const timers = { fake: "vi.useFakeTimers()", real: "vi.useRealTimers()" };
    const project = await Project.make("runners", `kit-vitest-${name}`, {
      "a.test.js": testFile({ environment: `vitest-environment ${name}`, imports, ...timers }),
    });
    await project.run("vitest/vitest.mjs", ["run"], { node: project.installed("node24/bin/node") });
  });
}

for (const environment of ["node", "jsdom"]) {
  for (const [format, imports, options] of [
    ["commonjs", `const { createTestKit, fakeSession } = require("everfresh/testing");`, ""],
    [
      "module",
      `import { jest } from "@jest/globals";\nimport { createTestKit, fakeSession } from "everfresh/testing";`,
      "--experimental-vm-modules",
    ],
  ]) {
    test(`Jest, ${format}, ${environment}`, async () => {
      const timers = { fake: "jest.useFakeTimers()", real: "jest.useRealTimers()" };
      const project = await Project.make("runners", `kit-jest-${format}-${environment}`, {
        "a.test.js": testFile({ environment: `jest-environment ${environment}`, imports, ...timers }),
        "package.json": JSON.stringify({ type: format }),
      });
      await project.run("jest/bin/jest.js", [], { env: { NODE_OPTIONS: options } });
    });
  }
}
