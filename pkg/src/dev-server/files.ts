// The files of a folder, for pages that need the origin of the token service and no bundler.

import { readFileSync, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** Answers with a file of the folder, or its index.html. Names that begin with a dot are not given. */
export function giveFile(folder: string, { method, url }: IncomingMessage, outgoing: ServerResponse): void {
  const found = method === "GET" || method === "HEAD" ? find(folder, url ?? "/") : undefined;
  const type = found && (TYPES[extname(found)] ?? "application/octet-stream");
  if (!found || !type) return outgoing.writeHead(404, { "Content-Type": "text/plain" }).end("not found");
  outgoing.writeHead(200, { "Content-Type": type, "Cache-Control": "no-cache" });
  outgoing.end(method === "GET" ? readFileSync(found) : undefined);
}

function find(folder: string, url: string): string | undefined {
  try {
    const path = decodeURIComponent(url.replace(/[?#].*/, ""));
    if (/[/\\]\.|\0/.test(path)) return undefined;
    const place = join(folder, path, path.endsWith("/") ? "index.html" : "");
    return statSync(place).isFile() ? place : undefined;
  } catch {
    return undefined; // no such file, or no path at all
  }
}
