// The server of a kit: a token service and an API behind a `fetch`, with scripted faults.

import type { ServiceSettings, SignedIn } from "../service/token-service.ts";
import { TokenService } from "../service/token-service.ts";

import { makeHeaders, makeResponse, readRequest } from "./fetch-classes.ts";
import { tokenSigner } from "./token.ts";

/**
 * What may go wrong with the next refresh.
 *
 * @example const faults: Fault[] = ["lost", "503"];
 */
export type Fault = "refused" | "503" | "429" | "hang" | "lost" | "html" | "superseded";

/**
 * A request that the server got.
 *
 * @example const [{ method, url, path, headers, body, token }] = kit.server.calls as [ServerCall];
 */
export interface ServerCall {
  /** In capitals. */
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** Path without the query. */
  readonly path: string;
  /** All that were sent. */
  readonly headers: Headers;
  /** As text. */
  readonly body: string;
  /** The bearer token, if there was one. */
  readonly token: string | undefined;
}

const REFRESH = /^\/(oauth\/token|auth\/refresh|auth\/renew)$/;

/** A token service at every origin: `/auth/login`, `/oauth/token`, `/oauth/revoke`, `/api/...` and more. */
export class KitServer {
  /**
   * Every request, in order.
   *
   * @example console.info(kit.server.calls.map(({ path }) => path));
   */
  readonly calls: ServerCall[] = [];
  readonly #settings: Pick<ServiceSettings, "now">;
  readonly #service: TokenService;
  readonly #faults: Fault[] = [];
  #made = 0;
  /** Access tokens up to this one are not accepted. */
  #expired = 0;
  /** What the cookies of the browser are, in the styles that have some. */
  #cookies = "";

  /** @internal */
  constructor(settings: Omit<ServiceSettings, "signer" | "random">) {
    this.#settings = settings;
    this.#service = new TokenService({
      ...settings,
      random: () => `kit-${(this.#made += 1)}`,
      signer: {
        ...tokenSigner,
        verify: (token) => {
          const claims = tokenSigner.verify(token);
          return Number(String(claims?.["jti"]).slice(4)) > this.#expired ? claims : undefined;
        },
      },
    });
  }

  /**
   * The refreshes among `calls`.
   *
   * @example console.info(kit.server.refreshes.length);
   */
  get refreshes(): ServerCall[] {
    return this.calls.filter(({ path }) => REFRESH.test(path));
  }

  /**
   * Makes the next refreshes go wrong, in order. What no refresh met makes `reset()` throw.
   *
   * @example kit.server.next("lost", "429");
   */
  next(...faults: Fault[]): void {
    this.#faults.push(...faults);
  }

  /**
   * A token response for a user, to be given to `session.start`. In styles with cookies the browser has them
   * from here on, as after a sign-in.
   *
   * @example kit.session.start(kit.server.signIn("ana"));
   */
  signIn(username = "ana"): SignedIn {
    const { tokens, cookies } = this.#service.signIn(username);
    for (const cookie of cookies) this.#keep(cookie);
    return tokens;
  }

  /**
   * Ends all sessions of a user on the server, or of all users: the next refresh is refused.
   *
   * @example kit.server.revoke("ana");
   */
  revoke(username?: string): void {
    this.#service.sessions.end((row) => username === undefined || row.username === username);
  }

  /**
   * Makes the API answer 401 to all access tokens so far; the next refresh is granted.
   *
   * @example kit.server.expire();
   */
  expire(): void {
    this.#expired = this.#made;
  }

  /**
   * The server as a `fetch`.
   *
   * @example await kit.server.fetch("https://app.test/api/me");
   */
  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const { method, url, headers, body } = await readRequest(input, init, "https://app.test/");
    const { pathname, search } = new URL(url);
    const token = /^Bearer (.*)$/.exec(headers.get("Authorization") ?? "")?.[1];
    this.calls.push({ method, url, path: pathname, headers, body, token });
    const signal = init?.signal ?? undefined;
    signal?.throwIfAborted();
    const fault = REFRESH.test(pathname) ? this.#faults.shift() : undefined;
    if (fault === "hang") {
      return new Promise((_, reject) =>
        signal?.addEventListener("abort", () => reject(signal.reason as Error)),
      );
    }
    if (fault === "refused") this.revoke();
    if (fault && fault !== "refused" && fault !== "lost") return this.#faulty(fault);
    const sent = makeHeaders(headers);
    // As a browser does, it then neither sends nor keeps any.
    const omits = (init?.credentials ?? (input as Partial<Request>).credentials) === "omit";
    if (this.#cookies && !omits) sent.set("Cookie", this.#cookies);
    const answer = this.#service.handle({ method, path: pathname + search, headers: sent, body });
    for (const cookie of answer.cookies ?? []) if (!omits) this.#keep(cookie);
    if (fault === "lost") throw new TypeError("Failed to fetch");
    return this.#response(answer.status, answer.body, answer.headers);
  };

  /**
   * Handlers for Mock Service Worker that answer as this server does.
   *
   * @param msw - `http` of `msw`
   * @example const handlers = kit.server.mswHandlers({ http });
   */
  mswHandlers<Handler>(msw: {
    readonly http: {
      all(path: string, answer: (info: { request: Request }) => Promise<Response>): Handler;
    };
  }): Handler[] {
    return ["*/oauth/*", "*/auth/*", "*/api/*", "*/.well-known/*"].map((path) =>
      msw.http.all(path, ({ request }) => this.fetch(request)),
    );
  }

  /** @internal */
  unused(): Fault[] {
    return this.#faults.splice(0);
  }

  #keep(cookie: string): void {
    const [pair = "", ...attributes] = cookie.split("; ");
    const name = pair.replace(/=.*/, "");
    const others = this.#cookies.split("; ").filter((kept) => kept && !kept.startsWith(`${name}=`));
    this.#cookies = [...others, ...(attributes.includes("Max-Age=0") ? [] : [pair])].join("; ");
  }

  #faulty(fault: Exclude<Fault, "hang" | "refused" | "lost">): Response {
    const json = { "Content-Type": "application/json" };
    switch (fault) {
      case "503":
        return this.#response(503, '{"error":"temporarily_unavailable"}', json);
      case "429":
        return this.#response(429, '{"error":"too_many_requests"}', { ...json, "Retry-After": "30" });
      case "superseded":
        return this.#response(400, '{"error":"invalid_grant","error_code":"superseded"}', json);
      case "html":
        return this.#response(200, "<html>Sign in to the network</html>", { "Content-Type": "text/html" });
    }
  }

  #response(status: number, body: string, headers: Record<string, string>): Response {
    const date = new Date(this.#settings.now()).toUTCString();
    const none = status === 204 || status === 304;
    return makeResponse(none ? null : body, { status, headers: { ...headers, Date: date } });
  }
}
