// What an editor offers inside of `refresh: {}`, asked of TypeScript's language server.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const TSC = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));
const FOLDER = fileURLToPath(new URL("../test-d/", import.meta.url));
const TEXT = 'import { createSession } from "../dist/index.js";\ncreateSession({ refresh: {  } });\n';
const AT = { line: 1, character: TEXT.split("\n")[1].indexOf("{  }") + 2 };

test("it offers what a token endpoint has first, and of a URL the address alone, last", async (t) => {
  const { ask, tell } = languageServer(t);
  await ask("initialize", { processId: null, rootUri: pathToFileURL(FOLDER).href, capabilities: {} });
  tell("initialized", {});
  const uri = pathToFileURL(`${FOLDER}completed.ts`).href;
  tell("textDocument/didOpen", { textDocument: { uri, languageId: "typescript", version: 1, text: TEXT } });
  const { items } = await ask("textDocument/completion", { textDocument: { uri }, position: AT });
  // As an editor sorts them.
  const key = ({ sortText = "", label }) => `${sortText} ${label}`;
  const offered = items.sort((a, b) => (key(a) < key(b) ? -1 : 1)).map(({ label }) => label.replace("?", ""));
  assert.deepEqual(
    offered,
    ["url", "classify", "clientId", "credentials", "headers", "method"].concat(
      ["params", "revokeUrl", "rotationKey", "style", "tokens", "href"],
    ),
  );
});

/** One that ends with the test. */
function languageServer(t) {
  const server = spawn(process.execPath, [TSC, "--lsp", "--stdio"], { stdio: ["pipe", "pipe", "ignore"] });
  t.after(() => server.kill());
  const waiting = new Map();
  const send = (message) => {
    const text = JSON.stringify({ jsonrpc: "2.0", ...message });
    server.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  };
  let received = Buffer.alloc(0);
  server.stdout.on("data", (bytes) => {
    received = Buffer.concat([received, bytes]);
    for (;;) {
      const [head, length] = /^Content-Length: (\d+)\r\n\r\n/.exec(received.toString("latin1")) ?? [];
      const end = head?.length + Number(length);
      if (!(received.length >= end)) return;
      const { id, method, params, result } = JSON.parse(received.subarray(head.length, end));
      received = received.subarray(end);
      if (!method) waiting.get(id)?.(result);
      // It asks for settings: there are none.
      else if (id !== undefined) send({ id, result: params?.items?.map(() => null) ?? null });
    }
  });
  let last = 0;
  const ask = (method, params) =>
    new Promise((resolve, reject) => {
      server.on("exit", () => reject(new Error("the language server has ended")));
      waiting.set((last += 1), resolve);
      send({ id: last, method, params });
    });
  return { ask, tell: (method, params) => send({ method, params }) };
}
