// Libraries that people build their own endpoints with. Facts and their sources: docs/presets.md.

import type { Address, RefreshFunction, TokenEndpoint } from "../options.ts";
import { asking, bearer, camelCase, type Client, refusedIf } from "./shape.ts";

/**
 * The endpoint itself: where it is, the application decides.
 *
 * @example const endpoint: Endpoint = { url: "/api/token/refresh/" };
 */
export interface Endpoint {
  /** The address of the refresh. */
  readonly url: string | Address;
}

/**
 * Django REST framework with simplejwt.
 *
 * @example createSession({ refresh: simplejwt({ url: "/api/token/refresh/" }) });
 */
export const simplejwt = ({ url }: Endpoint): TokenEndpoint => ({
  url: String(url),
  style: "json",
  params: (refresh) => ({ refresh }),
  tokens: ({ access, refresh }) => ({ accessToken: access, refreshToken: refresh }),
  classify: refusedIf(
    ({ code, refresh }) =>
      /^(token_not_valid|no_active_account|password_changed)$/.test(code) || Array.isArray(refresh),
  ),
});

/**
 * dj-rest-auth with the refresh token in a cookie.
 *
 * @example createSession({ refresh: djRestAuth({ url: "/auth/token/refresh/" }) });
 */
export const djRestAuth = ({ url }: Endpoint): TokenEndpoint => ({
  url: String(url),
  style: "cookie",
  tokens: ({ access }) => ({ accessToken: access }),
});

/**
 * ASP.NET Core Identity's API endpoints.
 *
 * @example createSession({ refresh: aspnetIdentity({ url: "/refresh" }) });
 */
export const aspnetIdentity = ({ url }: Endpoint): TokenEndpoint => ({
  url: String(url),
  style: "json",
  params: camelCase,
});

/**
 * LoopBack 4's refresh token service.
 *
 * @example createSession({ refresh: loopback({ url: "/refresh" }) });
 */
export const loopback = ({ url }: Endpoint): TokenEndpoint => ({
  url: String(url),
  style: "json",
  params: camelCase,
  tokens: ({ accessToken }) => ({ accessToken }),
});

/**
 * PHP's jwt-auth (tymon and its successor), which renews a token.
 *
 * @example createSession({ refresh: jwtAuth({ url: "/api/auth/refresh" }) });
 */
export const jwtAuth = ({ url }: Endpoint): TokenEndpoint => ({
  url: String(url),
  style: "renew",
  // The middleware variant answers with a header.
  tokens: ({ access_token, expires_in }, { headers }) => ({
    accessToken: access_token ?? headers.get("Authorization")?.replace(/^Bearer /i, ""),
    expiresIn: expires_in,
  }),
});

/**
 * better-auth's JWT plugin, by its session cookie.
 *
 * @example createSession({ refresh: betterAuth({ url: "/api/auth/token" }) });
 */
export const betterAuth = ({ url }: Endpoint): TokenEndpoint => ({
  url: String(url),
  style: "cookie",
  method: "GET",
  tokens: (body) => ({ accessToken: body?.token }),
  classify: ({ ok }, body) => (ok && body === null ? "refused" : undefined),
});

/**
 * Auth.js, whose session is a cookie that no script sees.
 *
 * @example createSession({ refresh: authjs({ url: "/api/auth/session" }) });
 */
export const authjs = ({ url }: Endpoint): TokenEndpoint => ({
  url: String(url),
  style: "cookies",
  method: "GET",
  classify: ({ ok }, body) => (ok && body === null ? "refused" : undefined),
});

/**
 * Symfony with Lexik's JWTs and the JWTRefreshTokenBundle.
 *
 * @example createSession({ refresh: lexik({ url: "/api/token/refresh" }) });
 */
export const lexik = ({ url }: Endpoint): TokenEndpoint => ({
  url: String(url),
  style: "json",
  tokens: ({ token, refresh_token }) => ({ accessToken: token, refreshToken: refresh_token }),
});

/**
 * Rodauth's jwt_refresh: JSON beside the access token, which must still be good. Refresh early, by
 * `leadSeconds`.
 *
 * @example createSession({ refresh: rodauth({ url: "/jwt-refresh" }), leadSeconds: 120 });
 */
export const rodauth = ({ url }: Endpoint): RefreshFunction =>
  asking(
    url,
    ({ accessToken, refreshToken }) => ({
      headers: {
        Accept: "application/json",
        "Content-Type": "application/json",
        Authorization: bearer(accessToken),
      },
      body: JSON.stringify({ refresh_token: refreshToken }),
    }),
    ({ error }, status) =>
      typeof error === "string" &&
      (status === 401 || /^(invalid JWT refresh|expired JWT access) token/.test(error)),
  );

/**
 * Flask-JWT-Extended, with the refresh token as bearer.
 *
 * @example createSession({ refresh: flaskJwt({ url: "/refresh" }) });
 */
export const flaskJwt = ({ url }: Endpoint): RefreshFunction =>
  asking(
    url,
    ({ refreshToken }) => ({
      headers: { Accept: "application/json", Authorization: bearer(refreshToken) },
    }),
    ({ msg }, status) => typeof msg === "string" && (status === 401 || status === 422),
  );

/**
 * Authlib's OAuth server, where a user who is gone is an invalid request.
 *
 * @example createSession({ refresh: authlib({ url: "/oauth/token", clientId: "web" }) });
 */
export const authlib = ({ url, clientId }: Endpoint & Client): TokenEndpoint => ({
  url: String(url),
  clientId,
  classify: refusedIf(({ error }) => error === "invalid_request"),
});

/**
 * node-express-boilerplate and those who took its shape.
 *
 * @example createSession({ refresh: expressBoilerplate({ url: "/v1/auth/refresh-tokens" }) });
 */
export const expressBoilerplate = ({ url }: Endpoint): TokenEndpoint => ({
  url: String(url),
  style: "json",
  params: camelCase,
  tokens: ({ access, refresh }) => ({ accessToken: access?.token, refreshToken: refresh?.token }),
});
