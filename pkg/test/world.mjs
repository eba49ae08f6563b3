// A world of its own for each test: virtual time, a scripted token endpoint and API.

import { setImmediate as turn } from "node:timers/promises";

import { createSession } from "../dist/inline.js";
import { lockManager, put } from "./page.mjs";

export const API = "https://api.test";
export const TOKEN_URL = "https://auth.test/token";
const START = Date.UTC(2030, 0, 1);

let worlds = 0;

/** Virtual time begins; `options` are those of the session. */
export function world(t, options = {}) {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: START });
  t.mock.method(performance, "now", () => Date.now() - START);
  // Without locks every refresh first waits for the other tabs.
  if (!globalThis.navigator?.locks) put(t, { navigator: { locks: lockManager() } });
  const made = new World(t, options);
  t.after(() => made.session.dispose());
  return made;
}

/** An unsigned JWT. */
export function jwt(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part(claims)}.${part("signature")}`;
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settle() {
  for (let i = 0; i < 5; i += 1) await turn();
}

class World {
  /** Requests to the API: `{ url, method, headers, token, body }`. */
  sent = [];
  /** Requests to the token endpoint: `{ url, headers, body, init }`. */
  refreshes = [];
  /** Events of the session. */
  events = [];
  logged = [];
  /** Answers an API request; by default 200 for the newest token and 401 for others. */
  api = ({ token }) => new Response("data", { status: token && token === this.current ? 200 : 401 });
  /** Answers the token endpoint. */
  auth = () => Response.json(this.issue());
  current = undefined;
  lifetime = 300;
  #issued = 0;

  constructor(t, options) {
    this.t = t;
    this.options = {
      refresh: TOKEN_URL,
      name: `world-${++worlds}`,
      origins: [API],
      jitterSeconds: 0,
      fetch: (input, init) => this.#transport(input, init),
      logger: this.#logger(),
      ...options,
    };
    this.session = createSession(this.options);
    for (const type of TYPES) this.session.on(type, (event) => this.events.push(event));
  }

  /** Event types so far. */
  get told() {
    return this.events.map((event) => event.type);
  }

  /** A new token response; only the newest access token is good. */
  issue(claims = {}) {
    this.#issued += 1;
    const iat = Math.floor(Date.now() / 1_000);
    const times = { iat, exp: iat + this.lifetime, jti: String(this.#issued) };
    this.current = jwt({ sub: "ana", ...times, ...claims });
    return {
      access_token: this.current,
      refresh_token: `refresh-${this.#issued}`,
      expires_in: this.lifetime,
    };
  }

  /** Signs in. */
  async start() {
    const cancel = this.session.start(this.issue());
    await settle();
    return cancel;
  }

  /** Lets time pass. */
  async advance(seconds, step = 1) {
    await settle();
    for (let left = seconds * 1_000; left > 0; left -= step * 1_000) {
      this.t.mock.timers.tick(Math.min(left, step * 1_000));
      await settle();
    }
  }

  async #transport(input, init) {
    const request = new Request(input, init);
    const url = request.url;
    const { headers, method } = request;
    const body = Buffer.from(await request.arrayBuffer());
    const token = headers.get("authorization")?.replace("Bearer ", "");
    const record = { url, method, headers, token, body, request, init };
    const auth = url.startsWith("https://auth.test");
    (auth ? this.refreshes : this.sent).push(record);
    init?.signal?.throwIfAborted();
    return auth ? this.auth(record) : this.api(record);
  }

  #logger() {
    const log = (level) => (message, details) => this.logged.push({ level, message, details });
    return { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  }
}

const TYPES = [
  ...["started", "refreshed", "refresh-failed", "stale", "warning", "extended", "signed-out"],
  ...["claims-changed", "subject-changed", "clock-skew", "storage-degraded", "revoke-failed"],
];
