// The companion server keeps what the development server of the package is held to as well
// (pkg/test/dev-server.test.mjs). No browser is needed.

import { test } from "node:test";

import { clientOf, cookieExpectations, expectations } from "../../pkg/test/token-service-expectations.mjs";
import { temporaryFolder } from "./support/folder.mjs";
import { Server } from "./support/server.mjs";

async function started(t, options) {
  const site = await temporaryFolder();
  t.after(() => site.remove());
  const server = await Server.start(site.path, options);
  t.after(() => server.stop());
  return clientOf(server.url, server.control);
}

for (const [name, holds] of Object.entries(expectations)) {
  test(name, async (t) => holds(await started(t)));
}
for (const [name, holds] of Object.entries(cookieExpectations)) {
  test(`in a cookie: ${name}`, async (t) =>
    holds(await started(t, { cookie: true, origins: ["https://app.example"] })));
}
