// A token service that rotates, in the dialects of the packages that are compared: the rules are the
// same for all. A refresh token that was replaced ends the session, unless that was less than the
// leeway ago; then the client gets new tokens.

import { createServer } from "node:http";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Seconds that an access token lives. */
export const LIFETIME = 300;

/** Starts it on a free port of loopback. `folder` is served. */
export async function startService({ folder, speed, leeway }) {
  const service = new Service({ folder, speed, leeway });
  await service.listen();
  return service;
}

class Service {
  /** What it was asked and how it answered. */
  counts = { refreshes: 0, reuses: 0, leeway: 0, requests: 0, refused: 0 };
  start = Date.now();
  folder;
  #speed;
  #leeway;
  #access = new Map();
  #refresh = new Map();
  #server;

  constructor({ folder, speed, leeway }) {
    this.folder = folder;
    this.#speed = speed;
    this.#leeway = leeway;
  }

  async listen() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error) => {
        response.writeHead(500).end(String(error));
      });
    });
    await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Epoch seconds by the clock that pages have. */
  get now() {
    return (this.start + (Date.now() - this.start) * this.#speed) / 1_000;
  }

  async #answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, this.url);
    const route = this.#routes[pathname];
    if (!route) return this.#file(pathname, response);
    const body = [];
    for await (const chunk of request) body.push(chunk);
    const given = parse(Buffer.concat(body).toString(), searchParams);
    const bearer = request.headers.authorization?.replace("Bearer ", "");
    const { status = 200, headers = {}, ...answer } = route(given, bearer);
    headers.Date = new Date(this.now * 1_000).toUTCString();
    response.writeHead(status, { "Content-Type": "application/json", ...headers });
    response.end(JSON.stringify(answer));
  }

  #routes = {
    "/login": () => this.#grant(),
    "/oauth/token": ({ grant_type, refresh_token, code }) =>
      grant_type === "refresh_token" ? this.#renew(refresh_token, 400) : this.#grant(code),
    "/supabase/token": ({ grant_type, refresh_token }) => {
      const tokens = grant_type === "password" ? this.#grant() : this.#renew(refresh_token, 400);
      const user = { id: "ada", email: "ada@app.test", app_metadata: {}, user_metadata: {} };
      return tokens.error ? tokens : { ...tokens, user };
    },
    "/supertokens/login": () => this.#headers(this.#grant()),
    "/supertokens/session/refresh": (_, bearer) => this.#headers(this.#renew(bearer, 401)),
    "/api": (_, bearer) => {
      this.counts.requests += 1;
      const { family, until } = this.#access.get(bearer) ?? {};
      const good = family && !family.ended && this.now < until;
      if (!good) this.counts.refused += 1;
      return { status: good ? 200 : 401 };
    },
  };

  /** Opens a session; with a nonce the client wants to read who signed in, each time. */
  #grant(nonce) {
    return this.#issue({ ended: false, nonce });
  }

  #renew(token, refusal) {
    this.counts.refreshes += 1;
    const found = this.#refresh.get(token);
    const { family, replaced } = found ?? {};
    const refused = { status: refusal, error: "invalid_grant", error_code: "refresh_token_not_found" };
    if (!family || family.ended) return refused;
    if (replaced === undefined) found.replaced = this.now;
    else if (this.now - replaced < this.#leeway) this.counts.leeway += 1;
    else {
      this.counts.reuses += 1;
      family.ended = true;
      return refused;
    }
    return this.#issue(family);
  }

  #issue(family) {
    const { iat, exp } = this.#times();
    const access_token = jwt({ sub: "ada", session_id: "1", jti: randomUUID(), iat, exp });
    const refresh_token = randomUUID();
    this.#access.set(access_token, { family, until: exp });
    this.#refresh.set(refresh_token, { family });
    const { nonce } = family;
    const claims = { iss: `${this.url}/`, sub: "ada", aud: "client", nonce, iat, exp };
    const id_token = nonce && jwt(claims);
    return { access_token, refresh_token, id_token, expires_in: LIFETIME, token_type: "Bearer" };
  }

  #times() {
    const iat = Math.floor(this.now);
    return { iat, exp: iat + LIFETIME };
  }

  #headers({ status, access_token, refresh_token }) {
    if (!access_token) return { status };
    const front = { uid: "ada", ate: this.#times().exp * 1_000, up: {} };
    const headers = {
      "st-access-token": access_token,
      "st-refresh-token": refresh_token,
      "front-token": Buffer.from(JSON.stringify(front)).toString("base64"),
    };
    return { headers };
  }

  async #file(pathname, response) {
    try {
      const bytes = await readFile(join(this.folder, pathname.slice(1)));
      const type = pathname.endsWith(".wasm") ? "application/wasm" : "text/javascript";
      const headers = { "Content-Type": pathname === "/page.html" ? "text/html" : type };
      // What a site with hashed file names does; the page itself is looked up each time.
      const cached = pathname === "/page.html" ? "no-cache" : "max-age=3600, immutable";
      response.writeHead(200, { ...headers, "Cache-Control": cached });
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  }
}

function parse(text, searchParams) {
  const body = text.startsWith("{") ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text));
  return { ...Object.fromEntries(searchParams), ...body };
}

/** No client here looks at the signature. */
function jwt(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}.c2ln`;
}
