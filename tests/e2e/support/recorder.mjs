// A server in front of the real one that tells what it has received. It puts one boundary in the place
// of all that are drawn for forms, and a token on what has none, so that answers can be compared.

import { once } from "node:events";
import { createServer, request } from "node:http";
import { createHash } from "node:crypto";

/** Starts it on two origins. */
export async function startRecorder(server, token) {
  const received = [];
  const held = [];
  const answers = {
    "/requests/received": (asked, answer) => {
      // With keepalive they outlive that they are aborted.
      for (const one of held.splice(0)) one.end();
      answer.end(JSON.stringify(received.splice(0)));
    },
    "/requests/held": (asked, answer) => answer.end(JSON.stringify(held.length)),
  };
  const handle = async (asked, answer) => {
    const { pathname, searchParams } = new URL(asked.url, "http://recorder");
    if (asked.headers.origin) {
      answer.setHeader("Access-Control-Allow-Origin", asked.headers.origin);
      for (const [name, value] of Object.entries(CORS)) answer.setHeader(name, value);
    }
    if (asked.method === "OPTIONS") return answer.writeHead(204).end();
    if (answers[pathname]) return answers[pathname](asked, answer);
    const body = await bodyOf(asked);
    const recorded = pathname.startsWith("/requests/") || pathname === "/api/echo";
    if (recorded) received.push(recordOf(asked, body));
    if (pathname === "/requests/hold") return held.push(answer);
    const redirect = /^\/requests\/redirect\/(\d+)$/.exec(pathname);
    if (redirect) return give(answer, Number(redirect[1]), searchParams.get("to"));
    pass(asked, body, answer, server.url, recorded && token);
  };
  const origins = [createServer(handle), createServer(handle)];
  for (const origin of origins) {
    origin.listen(0, "127.0.0.1");
    await once(origin, "listening");
  }
  const [own, other] = origins.map((origin) => `http://127.0.0.1:${origin.address().port}`);
  const close = () => {
    for (const origin of origins) {
      origin.close();
      origin.closeAllConnections();
    }
  };
  return { own, other, close };
}

/** One that is not kept, so that each request is made. */
const give = (answer, status, Location) => answer.writeHead(status, { Location, "Cache-Control": "no-store" }).end();

const CORS = {
  "Access-Control-Allow-Credentials": "true",
  "Access-Control-Allow-Headers": "accept, accept-language, content-type, x-a, x-b, x-c, x-d, x-e, sec-own",
  "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
};

/** The body, and its headers, with a boundary that is always the same. */
async function bodyOf(asked) {
  const parts = [];
  for await (const part of asked) parts.push(part);
  const body = Buffer.concat(parts);
  // WebKit says nothing of a Blob without a byte, which stands for bytes that could change.
  if (body.length === 0) delete asked.headers["content-length"];
  // The body's own: the caller may have said another type, and Node.js draws another after a redirect.
  const [, boundary] = /^--([^\r]{9,})\r\nContent-Disposition/i.exec(body.toString("latin1", 0, 200)) ?? [];
  if (!boundary) return body;
  const type = asked.headers["content-type"] ?? "";
  asked.headers["content-type"] = type.replace(/^(multipart\/form-data; ?boundary=).*/, "$1B");
  const same = Buffer.from(body.toString("latin1").replaceAll(boundary, "B"), "latin1");
  asked.headers["content-length"] = String(same.length);
  return same;
}

function recordOf({ method, url, headers }, body) {
  const { authorization, connection, host, ...others } = headers;
  return {
    ...{ method, url, authorization: authorization?.split(" ")[0] },
    headers: Object.entries(others).sort(),
    body: `${body.length} ${createHash("sha256").update(body).digest("hex")}`,
  };
}

function pass({ method, url, headers }, body, answer, origin, token) {
  const there = new URL(url, origin);
  const { origin: from, "transfer-encoding": chunked, ...others } = headers;
  const own = { ...others, host: there.host, ...(token && { authorization: `Bearer ${token}` }) };
  if (chunked) own["content-length"] = String(body.length);
  const passed = request(there, { method, headers: own, path: url }, (response) => {
    for (const [name, value] of Object.entries(response.headers)) {
      // The page may ask other origins than its own.
      if (!/^(content-security-policy|access-control-)/.test(name)) answer.setHeader(name, value);
    }
    answer.writeHead(response.statusCode);
    response.pipe(answer);
  });
  passed.on("error", () => answer.destroy());
  passed.end(body);
}
