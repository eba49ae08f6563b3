// The server behind another address, which may change what it says of its pages.

import { once } from "node:events";
import { createServer, request } from "node:http";

/** Starts it; `change` makes other headers of an answer's. `port` is its own, `close` ends it. */
export async function proxy(server, change) {
  const site = createServer((asked, answer) => {
    const { method, url, headers } = asked;
    const passed = request(new URL(url, server.url), { method, headers }, (response) => {
      answer.writeHead(response.statusCode, change(response.headers));
      response.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    asked.pipe(passed);
  });
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  const { port } = site.address();
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      site.close();
      site.closeAllConnections();
      await once(site, "close");
    },
  };
}
