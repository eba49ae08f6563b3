// A site that shows the product's pages in frames. The server forbids that, as it should, so they
// come through here without what forbids it.

import { proxy } from "./proxy.mjs";

/** The site that is framed; where the frames are, it is 127.0.0.1. */
export const INSIDE = "localhost";

/**
 * Starts it. `outside` is the address of a page of one site, `inside` what another has for frames,
 * `own` a page of that; `close` ends it.
 */
export async function embed(server) {
  const { port, close } = await proxy(server, frameable);
  return {
    outside: `http://127.0.0.1:${port}/embedding.html`,
    inside: `http://${INSIDE}:${port}/framed.html`,
    own: `http://${INSIDE}:${port}/`,
    close,
  };
}

function frameable(headers) {
  const { "x-frame-options": _, "content-security-policy": policy, ...rest } = headers;
  const kept = policy?.split("; ").filter((directive) => !directive.startsWith("frame-ancestors"));
  return { ...rest, ...(kept && { "content-security-policy": `${kept.join("; ")}; frame-src *` }) };
}
