// A token service and an API to develop against, on loopback.

import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { refusal, type ServiceRequest, type ServiceResponse } from "../service/messages.ts";
import { type ServiceStyle, type ServiceUser, type SignedIn, TokenService } from "../service/token-service.ts";

import { Control, type DevFault } from "./control.ts";
import { giveFile } from "./files.ts";
import { LOGIN_PAGE } from "./login-page.ts";
import { askerOf, isLocalName } from "./origins.ts";
import { signerOf } from "./signer.ts";
import { load, save } from "./state.ts";

/**
 * Options of the development server.
 *
 * @example
 * const options: DevServerOptions = {
 *   ...{ style: "cookie", ttl: 20, origins: ["http://localhost:5173"], users: { ana: "secret" } },
 *   ...{ state: "node_modules/.cache/everfresh.json", log: console.warn },
 * };
 */
export interface DevServerOptions {
  /** How clients refresh ["oauth2"]. */
  readonly style?: ServiceStyle | undefined;
  /** Life of an access token, in seconds [30]. */
  readonly ttl?: number | undefined;
  /** Origins of pages beside the server's own, compared exactly [none]. */
  readonly origins?: readonly string[] | undefined;
  /** Who may sign in: passwords by name [`{ demo: "demo" }`]. */
  readonly users?: Readonly<Record<string, string>> | undefined;
  /** A file that keeps sessions over restarts [none]. */
  readonly state?: string | undefined;
  /** Hears of refused origins [none]. */
  readonly log?: ((line: string) => void) | undefined;
}

/**
 * A server that runs.
 *
 * @example const { url, signIn, fault, close } = await startDevServer({ port: 0 });
 */
export interface DevServer {
  /** Where: `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** A token response for a user, as after a sign-in. A page gets the cookies too by `POST /control/token`. */
  signIn(this: void, username?: string): SignedIn;
  /** Makes requests to a route go wrong, as `POST /control/faults` does. */
  fault(this: void, fault: DevFault): void;
  /** Stops it. */
  close(this: void): void;
}

/** Handles what is for the server, and says whether it was. */
type Middleware = (request: IncomingMessage, response: ServerResponse, next?: () => void) => void;

const OURS = /^\/(auth|oauth|api|control|\.well-known)\/|^\/(login|healthz)$/;
const LARGEST = 1_000_000;

function create(options: DevServerOptions): { handle: Middleware; service: TokenService; control: Control } {
  const { style = "oauth2", ttl = 30, origins = [], users = { demo: "demo" }, state: place, log = () => {} } = options;
  const given = Object.entries(users).map(([name, password]) => [name, { password, claims: {} }] as const);
  const state = load(place, Object.fromEntries(given));
  const known = new Map<string, ServiceUser>(Object.entries(state.users));
  const control = new Control();
  let address = "http://127.0.0.1";
  const service = new TokenService({
    ...{ style, accessTtl: ttl, idleTtl: 172_800, absoluteTtl: 30 * 86_400, graceSeconds: 0, users: known },
    issuer: () => address,
    signer: signerOf(state.key),
    now: control.now,
    random: () => randomBytes(16).toString("base64url"),
  });
  for (const row of state.sessions) service.sessions.rows.set(row.sid, row);
  const keep = () =>
    save(place, {
      ...{ key: state.key, users: Object.fromEntries(known), sessions: [...service.sessions.rows.values()] },
    });

  /** The answer, without what faults and CORS add. */
  const answer = (request: ServiceRequest, path: string, welcome: boolean): ServiceResponse => {
    if (path.startsWith("/control/")) {
      return welcome ? control.handle(request, path, service, known) : refusal(403, "csrf");
    }
    if (path === "/login") {
      const headers = { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" };
      return { status: 200, headers, body: LOGIN_PAGE };
    }
    // A page that is not welcome must not use the browser's cookie.
    if (!welcome && path.startsWith("/auth/")) return refusal(403, "csrf");
    return service.handle(request);
  };

  const handle: Middleware = (incoming, outgoing, next) => {
    const path = (incoming.url ?? "/").replace(/\?.*/, "");
    if (!OURS.test(path)) {
      if (next) next();
      else send(outgoing, refusal(404, "not_found"), {});
      return;
    }
    void respond(incoming, outgoing, path).catch(() => incoming.socket.destroy());
  };

  const respond = async (incoming: IncomingMessage, outgoing: ServerResponse, path: string): Promise<void> => {
    const request = await read(incoming);
    if (!request) return send(outgoing, refusal(413, "payload_too_large"), {});
    if (!isLocalName(request.headers.get("Host"))) return send(outgoing, refusal(421, "misdirected_request"), {});
    address = `${incoming.socket.encrypted ? "https" : "http"}://${request.headers.get("Host")}`;
    const asker = askerOf(request, origins);
    if (!asker.welcome) {
      const origin = request.headers.get("Origin");
      log(`${request.method} ${path} from ${origin} is refused: --origin ${origin} allows it`);
    }
    if (request.method === "OPTIONS") {
      return send(outgoing, { status: 204, headers: {}, body: "" }, asker.headers);
    }
    const fault = control.meet(`${request.method} ${path}`);
    const delay = () => new Promise((done) => setTimeout(done, fault?.delay_ms ?? 1_000));
    if (fault?.kind === "hang") return;
    if (fault?.kind === "drop-before-commit") return incoming.socket.destroy();
    if (fault?.kind === "delay-before-commit") await delay();
    if (fault?.kind === "status") {
      const after = fault.retry_after === undefined ? {} : { "Retry-After": String(fault.retry_after) };
      return send(outgoing, refusal(fault.status ?? 503, "fault", "", after), asker.headers);
    }
    if (fault?.kind === "html") {
      const html = { status: 200, headers: { "Content-Type": "text/html" }, body: "<h1>Sign in to the network</h1>" };
      return send(outgoing, html, asker.headers);
    }
    const answered = answer(request, path, asker.welcome);
    keep();
    if (fault?.kind === "drop-after-commit") return incoming.socket.destroy();
    if (fault?.kind === "delay-after-commit") await delay();
    send(outgoing, answered, fault?.kind === "no-cors" ? {} : asker.headers, control.now());
  };
  return { handle, service, control };
}

async function read(incoming: IncomingMessage): Promise<ServiceRequest | undefined> {
  const decoder = new TextDecoder();
  let body = "";
  for await (const chunk of incoming) {
    body += decoder.decode(chunk, { stream: true });
    if (body.length > LARGEST) return undefined;
  }
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined && !name.startsWith(":")) headers.set(name, String(value));
  }
  return { method: incoming.method ?? "GET", path: incoming.url ?? "/", headers, body };
}

function send(
  outgoing: ServerResponse,
  { status, headers, cookies = [], body }: ServiceResponse,
  more: Record<string, string>,
  now?: number,
): void {
  const date = now === undefined ? {} : { Date: new Date(now).toUTCString() };
  const set = cookies.length > 0 ? { "Set-Cookie": cookies } : {};
  outgoing.writeHead(status, { ...headers, ...more, ...date, ...set });
  outgoing.end(body);
}

/**
 * The server as a middleware of a development server, Vite's for one: pages and API have one origin
 * then, so cookies work and CORS does not matter.
 *
 * @example const config = { plugins: [devServer({ ttl: 20 })] }; // vite.config.js
 */
export function devServer(options: DevServerOptions = {}): {
  /** For Vite's messages. */
  readonly name: string;
  /** Adds the middleware. */
  configureServer(server: { middlewares: { use(handle: never): unknown } }): void;
} {
  const { handle } = create(options);
  return {
    name: "everfresh-dev-server",
    configureServer: ({ middlewares }) => void middlewares.use(handle as never),
  };
}

/**
 * Options of a development server that listens by itself.
 *
 * @example await startDevServer({ port: 8080, serve: "dist", ttl: 20 });
 */
export interface StartDevServerOptions extends DevServerOptions {
  /** Where it listens; 0 is any port that is free [8080]. */
  readonly port?: number | undefined;
  /** A folder whose files it gives as well, with `index.html` for a path that ends in a slash [none]. */
  readonly serve?: string | undefined;
}

/**
 * Starts the server on 127.0.0.1.
 *
 * @example
 * const server = await startDevServer({ port: 0 });
 * server.close();
 */
export async function startDevServer(options: StartDevServerOptions = {}): Promise<DevServer> {
  const { handle, service, control } = create(options);
  const { serve } = options;
  const server = createServer((request, response) => {
    const local = isLocalName(request.headers["host"]);
    handle(request, response, serve && local ? () => giveFile(serve, request, response) : undefined);
  });
  await new Promise<void>((listening, failed) => {
    server.on("error", failed);
    server.listen(options.port ?? 8080, "127.0.0.1", listening);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    signIn: (username = "demo") => service.signIn(username).tokens,
    fault: (fault) => control.fault(fault),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
