// Libraries that people build their own endpoints with. Facts and their sources: docs/presets.md.

import type { Address, TokenEndpoint } from "../options.ts";
import { camelCase, type Client, refusedIf } from "./shape.ts";

/** The endpoint itself: where it is, the application decides. */
export interface Endpoint {
  /** The address of the refresh. */
  readonly url: string | Address;
}

/** Django REST framework with simplejwt. */
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

/** dj-rest-auth with the refresh token in a cookie. */
export const djRestAuth = ({ url }: Endpoint): TokenEndpoint => ({
  url: String(url),
  style: "cookie",
  tokens: ({ access }) => ({ accessToken: access }),
});

/** ASP.NET Core Identity's API endpoints. */
export const aspnetIdentity = ({ url }: Endpoint): TokenEndpoint => ({
  url: String(url),
  style: "json",
  params: camelCase,
  tokens: ({ accessToken, refreshToken, expiresIn }) => ({ accessToken, refreshToken, expiresIn }),
});

/** LoopBack 4's refresh token service. */
export const loopback = ({ url }: Endpoint): TokenEndpoint => ({
  url: String(url),
  style: "json",
  params: camelCase,
  tokens: ({ accessToken }) => ({ accessToken }),
});

/** PHP's jwt-auth (tymon and its successor), which renews a token. */
export const jwtAuth = ({ url }: Endpoint): TokenEndpoint => ({
  url: String(url),
  style: "renew",
  // The middleware variant answers with a header.
  tokens: ({ access_token, expires_in }, { headers }) => ({
    accessToken: access_token ?? headers.get("Authorization")?.replace(/^Bearer /i, ""),
    expiresIn: expires_in,
  }),
});

/** better-auth's JWT plugin, by its session cookie. */
export const betterAuth = ({ url }: Endpoint): TokenEndpoint => ({
  url: String(url),
  style: "cookie",
  method: "GET",
  tokens: (body) => ({ accessToken: body?.token }),
  classify: ({ ok }, body) => (ok && body === null ? "refused" : undefined),
});

/** Auth.js, whose session is a cookie that no script sees. */
export const authjs = ({ url }: Endpoint): TokenEndpoint => ({
  url: String(url),
  style: "cookies",
  method: "GET",
  classify: ({ ok }, body) => (ok && body === null ? "refused" : undefined),
});

/** Symfony with Lexik's JWTs and the JWTRefreshTokenBundle. */
export const lexik = ({ url }: Endpoint): TokenEndpoint => ({
  url: String(url),
  style: "json",
  tokens: ({ token, refresh_token }) => ({ accessToken: token, refreshToken: refresh_token }),
});

/** Authlib's OAuth server, where a user who is gone is an invalid request. */
export const authlib = ({ url, clientId }: Endpoint & Client): TokenEndpoint => ({
  url: String(url),
  clientId,
  classify: refusedIf(({ error }) => error === "invalid_request"),
});

/** node-express-boilerplate and those who took its shape. */
export const expressBoilerplate = ({ url }: Endpoint): TokenEndpoint => ({
  url: String(url),
  style: "json",
  params: camelCase,
  tokens: ({ access, refresh }) => ({ accessToken: access?.token, refreshToken: refresh?.token }),
});
