// Runs the tests of the crate's adapters in a browser or in Node.js, as `E2E_ENGINE` says. The
// argument is the folder with the bound module, which `cargo xtask adapters` makes.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { within } from "../e2e/support/waiting.mjs";

const bound = process.argv[2];
const GLUE = "adapters.js";
const WASM = "adapters_bg.wasm";

async function inNode() {
  // It warns of many listeners on one signal, by way of console.error.
  process.removeAllListeners("warning");
  const { faults, run } = await import("./suite.js");
  const glue = await import(pathToFileURL(join(bound, GLUE)));
  await within("the tests", readFile(join(bound, WASM)).then((wasm) => run(glue, wasm)), PATIENCE)
    .catch((error) => faults.push(error.message));
  return faults;
}

async function inBrowser() {
  const { launch } = await import("../e2e/support/engine.mjs");
  const server = createServer(serve).listen(0, "127.0.0.1");
  await once(server, "listening");
  const browser = await launch();
  try {
    const profile = await within("a profile", browser.newProfile());
    const url = `http://127.0.0.1:${server.address().port}/`;
    const page = await within("a page", profile.newPage(url));
    const faults = [];
    await within("the tests", page.evaluate(runInPage), PATIENCE)
      .catch((error) => faults.push(error.message));
    const [printed, found] = await within("the results", page.evaluate(results));
    console.log(printed);
    return [...faults, ...found];
  } finally {
    await browser.close();
    server.close();
  }
}

async function runInPage() {
  const [{ run }, glue] = await Promise.all([import("/suite.js"), import("/adapters.js")]);
  await run(glue, "/adapters_bg.wasm");
}

async function results() {
  const { faults } = await import("/suite.js");
  return [document.getElementById("output").textContent, faults];
}

/** Serves the page, the module that runs the tests, and the bound module. */
async function serve({ url }, response) {
  const type = { js: "text/javascript", wasm: "application/wasm" }[url.split(".").at(-1)];
  const answer = (type, body) => response.writeHead(200, { "Content-Type": type }).end(body);
  if (url === "/") return answer("text/html", '<pre id="output"></pre>');
  const file = url === "/suite.js" ? new URL(`.${url}`, import.meta.url) : join(bound, url);
  try {
    answer(type, await readFile(file));
  } catch {
    response.writeHead(404).end();
  }
}

// For all tests together, on a machine that is busy with other things as well.
const PATIENCE = 180_000;

const faults = await (process.env.E2E_ENGINE === "node" ? inNode() : inBrowser());
for (const fault of faults) console.log(fault);
process.exit(faults.length === 0 ? 0 : 1);
