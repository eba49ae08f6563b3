// A token service to develop and to test against. It speaks as the companion server does, but keeps
// all in memory and guards nothing of value: no hashing of passwords, no limits.

import { utf8Length } from "./base64.ts";
import {
  bearerOf,
  cookieOf,
  empty,
  fieldsOf,
  json,
  refusal,
  type ServiceRequest,
  type ServiceResponse,
} from "./messages.ts";
import { type Presented, type SessionRow, Sessions } from "./rotation.ts";

/** Signs access tokens. */
export interface Signer {
  sign(claims: object): string;
  /** The claims of a token that `sign` made; undefined for any other. */
  verify(token: string): Record<string, unknown> | undefined;
  /** The public keys, as RFC 7517 writes them. */
  readonly keys: readonly object[];
}

/**
 * How clients refresh: as `style` of a `TokenEndpoint`.
 *
 * @example const style: ServiceStyle = "cookie";
 */
export type ServiceStyle = "oauth2" | "json" | "cookie" | "cookies" | "renew";

/**
 * A token response, as after a sign-in.
 *
 * @example const { access_token, refresh_token, expires_in }: SignedIn = server.signIn();
 */
export type SignedIn = {
  /** A JWT. */
  access_token: string;
  /** None where a cookie has it. */
  refresh_token?: string;
  /** Life of the access token, in seconds. */
  expires_in: number;
};

/** How a service behaves. Durations are in seconds. */
export interface ServiceSettings {
  readonly style: ServiceStyle;
  /** Life of an access token. */
  accessTtl: number;
  readonly idleTtl: number;
  readonly absoluteTtl: number;
  /** How long a rotation may be repeated with another key, or with none. */
  readonly graceSeconds: number;
  /** Who may sign in: password and further claims by name. */
  readonly users: Map<string, ServiceUser>;
  readonly issuer: () => string;
  readonly signer: Signer;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly random: () => string;
}

/** A user who may sign in. */
export interface ServiceUser {
  password: string;
  claims: Record<string, unknown>;
}

/** The service: one request after another. */
export class TokenService {
  readonly sessions: Sessions;
  readonly #settings: ServiceSettings;

  constructor(settings: ServiceSettings) {
    this.#settings = settings;
    const { idleTtl, absoluteTtl, graceSeconds, random } = settings;
    const limits = { idle: idleTtl * 1_000, absolute: absoluteTtl * 1_000, grace: graceSeconds * 1_000 };
    this.sessions = new Sessions(limits, random);
  }

  /** Answers a request. */
  handle(request: ServiceRequest): ServiceResponse {
    const path = request.path.replace(/\?.*/, "");
    if (path.startsWith("/api/")) return this.#protected(request, path);
    const [method, route] = this.#routes()[path] ?? [];
    if (!route) return refusal(404, "not_found");
    if (method !== request.method) return refusal(405, "method_not_allowed", "", { Allow: method! });
    return route(request);
  }

  /** Signs a user in without a password. */
  signIn(username: string, clientId = "default"): Issued {
    const row = this.sessions.begin(username, clientId, this.#settings.now());
    return this.#issued(row, row.token);
  }

  #routes(): Record<string, [method: string, route: (request: ServiceRequest) => ServiceResponse]> {
    const { issuer, signer } = this.#settings;
    return {
      "/auth/login": ["POST", (request) => this.#login(request)],
      "/oauth/token": ["POST", (request) => this.#token(request)],
      "/auth/refresh": ["POST", (request) => this.#cookieRefresh(request)],
      "/auth/renew": ["POST", (request) => this.#renew(request)],
      "/auth/logout": ["POST", (request) => this.#logout(request, false)],
      "/auth/logout-everywhere": ["POST", (request) => this.#logout(request, true)],
      "/oauth/revoke": ["POST", (request) => this.#revoke(request)],
      "/.well-known/jwks.json": ["GET", () => json(200, { keys: signer.keys }, { "Cache-Control": "max-age=300" })],
      "/.well-known/oauth-authorization-server": ["GET", () => {
        const at = issuer();
        return json(200, {
          issuer: at,
          token_endpoint: `${at}/oauth/token`,
          revocation_endpoint: `${at}/oauth/revoke`,
          jwks_uri: `${at}/.well-known/jwks.json`,
          grant_types_supported: ["refresh_token"],
          response_types_supported: [],
          token_endpoint_auth_methods_supported: ["none"],
        });
      }],
      "/healthz": ["GET", () => json(200, { status: "ok" })],
    };
  }

  #login(request: ServiceRequest): ServiceResponse {
    const { username, password, client_id: client } = fieldsOf(request) ?? {};
    if (typeof username !== "string" || typeof password !== "string") return refusal(400, "invalid_request");
    const user = this.#settings.users.get(username);
    if (!user || user.password !== password) return refusal(401, "invalid_credentials");
    const row = this.sessions.begin(username, String(client ?? "default"), this.#settings.now());
    return this.#granted(row, row.token);
  }

  #token(request: ServiceRequest): ServiceResponse {
    const fields = fieldsOf(request);
    const token = fields?.["refresh_token"];
    const plain = this.#settings.style === "json" && fields?.["grant_type"] === undefined;
    if (!plain && fields?.["grant_type"] !== "refresh_token") {
      return refusal(400, fields?.["grant_type"] ? "unsupported_grant_type" : "invalid_request");
    }
    if (typeof token !== "string" || !token) return refusal(400, "invalid_request");
    const client = fields!["client_id"];
    const clientId = client === undefined ? client : String(client);
    return this.#refresh(request, { token, key: fields!["rotation_key"], clientId, inCookie: false });
  }

  #cookieRefresh(request: ServiceRequest): ServiceResponse {
    if (!request.headers.has("X-Everfresh")) return refusal(403, "csrf");
    const token = cookieOf(request, REFRESH_COOKIE);
    return this.#refresh(request, { token, key: undefined, clientId: undefined, inCookie: true });
  }

  #refresh(request: ServiceRequest, presented: Omit<Presented, "key"> & { key: unknown }): ServiceResponse {
    const header = request.headers.get("Idempotency-Key") ?? undefined;
    const key = presented.key === undefined ? header : String(presented.key);
    if (header !== undefined && key !== header) return refusal(400, "invalid_request");
    if (key !== undefined && !/^[\x21-\x7e]{16,128}$/.test(key)) return refusal(400, "invalid_request");
    const refreshed = this.sessions.refresh({ ...presented, key }, this.#settings.now());
    if ("code" in refreshed) return refusal(400, "invalid_grant", refreshed.code);
    return this.#granted(refreshed.row, refreshed.token, refreshed.replayed);
  }

  #renew(request: ServiceRequest): ServiceResponse {
    if (this.#settings.style !== "renew") return refusal(403, "renewal_not_allowed");
    const found = this.#authorized(request);
    if ("status" in found) return found;
    found.row.usedAt = this.#settings.now();
    return this.#granted(found.row, "");
  }

  #logout(request: ServiceRequest, everywhere: boolean): ServiceResponse {
    const { signer } = this.#settings;
    const bearer = bearerOf(request);
    const cookie = request.headers.has("X-Everfresh") ? cookieOf(request, REFRESH_COOKIE) : "";
    const given = fieldsOf(request)?.["refresh_token"];
    // An expired token is good enough to sign out with.
    const bySid = bearer && this.sessions.rows.get(String(signer.verify(bearer)?.["sid"]));
    const row = bySid || this.sessions.find(String(given ?? cookie));
    const everybody = everywhere || fieldsOf(request)?.["everywhere"] === "true";
    if (row) this.#endOf(row, everybody);
    const clear = cookie && (!row || row.ended !== undefined);
    return empty(204, clear ? [REFRESH_COOKIE, ACCESS_COOKIE].map((name) => cookieText(name, "", 0)) : []);
  }

  #revoke(request: ServiceRequest): ServiceResponse {
    const { token, everywhere } = fieldsOf(request) ?? {};
    if (typeof token !== "string" || !token) return refusal(400, "invalid_request");
    const sid = this.#settings.signer.verify(token)?.["sid"];
    const row = this.sessions.rows.get(String(sid)) ?? this.sessions.find(token);
    if (row) this.#endOf(row, everywhere === "true");
    return empty(200);
  }

  #endOf(row: SessionRow, everywhere: boolean): void {
    this.sessions.end((other) => other === row || (everywhere && other.username === row.username));
  }

  #protected(request: ServiceRequest, path: string): ServiceResponse {
    const found = this.#authorized(request);
    if ("status" in found) return found;
    if (path === "/api/me") return json(200, found.claims);
    const secret = /^(cookie|authorization|proxy-authorization)$/;
    const headers = Object.fromEntries([...request.headers].filter(([name]) => !secret.test(name)));
    const { method, body } = request;
    return json(200, { method, path: request.path, headers, body, body_length: utf8Length(body) });
  }

  #authorized(request: ServiceRequest): { row: SessionRow; claims: Record<string, unknown> } | ServiceResponse {
    const { style, signer, now } = this.#settings;
    const token = bearerOf(request) || (style === "cookies" && cookieOf(request, ACCESS_COOKIE));
    if (!token) return refusal(401, "missing_token", "", { "WWW-Authenticate": "Bearer" });
    const claims = signer.verify(token);
    const row = claims && this.sessions.lives(claims["sid"], now());
    if (row && now() < Number(claims["exp"]) * 1_000) return { row, claims };
    return refusal(401, "invalid_token", "", { "WWW-Authenticate": 'Bearer error="invalid_token"' });
  }

  #issued(row: SessionRow, token: string): Issued {
    const { style, idleTtl, signer, users, issuer, now, random } = this.#settings;
    const ends = Math.floor((row.signedInAt + this.#settings.absoluteTtl * 1_000) / 1_000);
    const iat = Math.floor(now() / 1_000);
    const exp = Math.min(iat + this.#settings.accessTtl, ends);
    const claims = {
      ...{ iss: issuer(), sub: row.username, aud: "everfresh", client_id: row.clientId, iat, exp, jti: random() },
      ...{ sid: row.sid, auth_time: Math.floor(row.signedInAt / 1_000), session_expiry: ends },
      ...{ name: row.username, phone: null, is_manager: false },
      ...users.get(row.username)?.claims,
    };
    const access = signer.sign(claims);
    const cookies = [];
    if (token && /^cookie/.test(style)) cookies.push(cookieText(REFRESH_COOKIE, token, idleTtl));
    if (style === "cookies") cookies.push(cookieText(ACCESS_COOKIE, access, exp - iat));
    const tokens = {
      access_token: access,
      token_type: "Bearer",
      expires_in: exp - iat,
      session_expires_in: ends - iat,
      ...(token && /^(oauth2|json)$/.test(style) && { refresh_token: token }),
    };
    return { tokens, cookies };
  }

  #granted(row: SessionRow, token: string, replayed = false): ServiceResponse {
    const { tokens, cookies } = this.#issued(row, token);
    const shown = this.#settings.style === "cookies" ? { expires_in: tokens.expires_in } : tokens;
    return json(200, shown, replayed ? { "Refresh-Replayed": "1" } : {}, cookies);
  }
}

/** What a sign-in or a refresh gives a user, in the style of the service. */
interface Issued {
  readonly tokens: SignedIn;
  readonly cookies: readonly string[];
}

/** The companion's names over plain HTTP on loopback. */
const REFRESH_COOKIE = "everfresh";
const ACCESS_COOKIE = "everfresh_access";

const cookieText = (name: string, value: string, seconds: number): string =>
  `${name}=${value}; Path=/; Max-Age=${Math.floor(seconds)}; HttpOnly; SameSite=Strict`;
