// One origin for the page and the token server: what the server has comes from the server, the rest
// from a folder or a development server.

import { once } from "node:events";
import { createReadStream, existsSync } from "node:fs";
import { createServer, request } from "node:http";
import { extname, join } from "node:path";

/**
 * Starts it; `behind` is a folder or the URL of a development server.
 *
 * @returns its `url`, and what ends it
 */
export async function openSite(server, behind) {
  const site = createServer((asked, answer) => {
    const { pathname } = new URL(asked.url, "http://site");
    if (/^\/(auth|oauth|api)\//.test(pathname)) pass(asked, answer, server.url);
    else if (behind.startsWith("http:")) pass(asked, answer, behind);
    else give(answer, join(behind, pathname.endsWith("/") ? `${pathname}index.html` : pathname));
  });
  if (behind.startsWith("http:")) site.on("upgrade", (...asked) => upgrade(behind, ...asked));
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  return {
    url: `http://127.0.0.1:${site.address().port}`,
    close: async () => {
      site.close();
      site.closeAllConnections();
      await once(site, "close");
    },
  };
}

function pass(asked, answer, origin) {
  const { method, url, headers } = asked;
  const there = new URL(url, origin);
  const passed = request(there, { method, headers: { ...headers, host: there.host } }, (response) => {
    answer.writeHead(response.statusCode, response.headers);
    response.pipe(answer);
  });
  passed.on("error", () => answer.destroy());
  asked.pipe(passed);
}

/** Development servers tell their pages by a WebSocket, and some pages wait for that. */
function upgrade(origin, { method, url, headers }, socket) {
  const there = new URL(url, origin);
  const own = { ...headers, host: there.host, origin: there.origin };
  const passed = request(there, { method, headers: own });
  passed.on("upgrade", (response, other, head) => {
    const lines = Object.entries(response.headers).map(([name, value]) => `${name}: ${value}`);
    socket.write(["HTTP/1.1 101 Switching Protocols", ...lines, "", ""].join("\r\n"));
    socket.write(head);
    for (const end of [socket, other]) end.on("error", () => [socket, other].forEach((it) => it.destroy()));
    other.pipe(socket).pipe(other);
  });
  passed.on("response", () => socket.destroy());
  passed.on("error", () => socket.destroy());
  passed.end();
}

function give(answer, path) {
  const type = TYPES[extname(path)];
  if (!type || !existsSync(path)) return answer.writeHead(404).end();
  answer.writeHead(200, { "Content-Type": type });
  createReadStream(path).pipe(answer);
}

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
};
