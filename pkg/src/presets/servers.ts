// Servers to run oneself. Facts and their sources: docs/presets.md.

import type { TokenEndpoint } from "../options.ts";
import { camelCase, type Client, refusedIf, type Service } from "./shape.ts";

/**
 * Ory Hydra, which answers a refresh that came at the same time as another with "retry".
 *
 * @example createSession({ refresh: hydra({ url: "https://auth.example.com", clientId: "web" }) });
 */
export const hydra = ({ url, clientId }: Service & Client): TokenEndpoint => ({
  url: `${url}/oauth2/token`,
  revokeUrl: `${url}/oauth2/revoke`,
  clientId,
  classify: (_, body) => {
    const { error, error_description } = Object(body);
    return error === "invalid_request" && /retry/i.test(error_description) ? "transient" : undefined;
  },
});

/**
 * Kanidm, where a refresh token that cannot be read is an invalid request.
 *
 * @example createSession({ refresh: kanidm({ url: "https://auth.example.com", clientId: "web" }) });
 */
export const kanidm = ({ url, clientId }: Service & Client): TokenEndpoint => ({
  url: `${url}/oauth2/token`,
  revokeUrl: `${url}/oauth2/token/revoke`,
  clientId,
  classify: refusedIf(({ error }) => error === "invalid_request"),
});

/**
 * Rauthy, where an unknown refresh token is not found.
 *
 * @example createSession({ refresh: rauthy({ url: "https://auth.example.com", clientId: "web" }) });
 */
export const rauthy = ({ url, clientId }: Service & Client): TokenEndpoint => ({
  url: `${url}/auth/v1/oidc/token`,
  clientId,
  classify: ({ status }, body) => {
    if (/^\s*</.test(body)) return "transient"; // a blocked address
    return status === 404 && Object(body).error === "NotFound" ? "refused" : undefined;
  },
});

/**
 * Casdoor, whose refusals and failures are both a 200.
 *
 * @example createSession({ refresh: casdoor({ url: "https://auth.example.com", clientId: "web" }) });
 */
export const casdoor = ({ url, clientId }: Service & Client): TokenEndpoint => ({
  url: `${url}/api/login/oauth/refresh_token`,
  clientId,
  classify: (_, body) => {
    const { status, msg } = Object(body);
    if (status !== "error") return undefined;
    return /doesn't exist|not exist/.test(msg) ? "refused" : "transient";
  },
});

/**
 * FusionAuth's own API.
 *
 * @example createSession({ refresh: fusionauth({ url: "https://auth.example.com" }) });
 */
export const fusionauth = ({ url }: Service): TokenEndpoint => ({
  url: `${url}/api/jwt/refresh`,
  style: "json",
  params: camelCase,
  tokens: ({ token, refreshToken }) => ({ accessToken: token, refreshToken }),
});

/**
 * SuperTokens in cookie mode; `url` with the API's base path.
 *
 * @example createSession({ refresh: supertokens({ url: "https://api.example.com/auth" }) });
 */
export const supertokens = ({ url }: Service): TokenEndpoint => ({
  url: `${url}/session/refresh`,
  revokeUrl: `${url}/signout`,
  style: "cookies",
  headers: { rid: "session" },
  tokens: (_, { headers }) => {
    const front = headers.get("front-token");
    return front && { expiresIn: (JSON.parse(atob(front)).ate - Date.now()) / 1_000 };
  },
  classify: ({ status }, body) =>
    status === 401 && Object(body).message === "token theft detected" ? { refused: "reuse" } : undefined,
});

/**
 * Directus, with both tokens in the answer.
 *
 * @example createSession({ refresh: directus({ url: "https://cms.example.com" }) });
 */
export const directus = ({ url }: Service): TokenEndpoint => ({
  url: `${url}/auth/refresh`,
  style: "json",
  params: { mode: "json" },
  tokens: ({ data }) => ({
    accessToken: data?.access_token,
    refreshToken: data?.refresh_token,
    expiresIn: data && data.expires / 1_000,
  }),
  classify: refusedIf(({ errors }) =>
    /^(INVALID_CREDENTIALS|INVALID_TOKEN|TOKEN_EXPIRED|USER_SUSPENDED)$/.test(errors?.[0]?.extensions?.code),
  ),
});

/**
 * Strapi 5 with refresh tokens on; without them there is no such endpoint.
 *
 * @example createSession({ refresh: strapi({ url: "https://cms.example.com" }) });
 */
export const strapi = ({ url }: Service): TokenEndpoint => ({
  url: `${url}/api/auth/refresh`,
  style: "json",
  params: camelCase,
  tokens: ({ jwt, refreshToken }) => ({ accessToken: jwt, refreshToken }),
  classify: ({ status }) => (status === 404 ? "transient" : undefined),
});

/**
 * PocketBase, which renews a token that is still good.
 *
 * @example createSession({ refresh: pocketbase({ url: "https://pb.example.com", collection: "members" }) });
 */
export const pocketbase = ({
  url,
  collection = "users",
}: Service & { readonly collection?: string | undefined }): TokenEndpoint => ({
  url: `${url}/api/collections/${encodeURIComponent(collection)}/auth-refresh`,
  style: "renew",
  tokens: ({ token }) => ({ accessToken: token }),
  // A proxy says 404 too, in other words. Older servers write `code` for `status`.
  classify: refusedIf(({ status, code, data }, http) => http === 404 && (status ?? code) === 404 && data),
});

/**
 * Appwrite, with a JWT for the session of its cookie. `url` ends in `/v1`.
 *
 * @example createSession({ refresh: appwrite({ url: "https://cloud.appwrite.io/v1", project: "shop" }) });
 */
export const appwrite = ({ url, project }: Service & { readonly project: string }): TokenEndpoint => ({
  url: `${url}/account/jwts`,
  style: "cookie",
  headers: { "X-Appwrite-Project": project },
  tokens: ({ jwt }) => ({ accessToken: jwt }),
  classify: refusedIf(({ type }) => type === "user_session_not_found"),
});

/**
 * Nhost Auth, which refuses members that it does not know.
 *
 * @example createSession({ refresh: nhost({ url: "https://abc.auth.eu-central-1.nhost.run" }) });
 */
export const nhost = ({ url }: Service): TokenEndpoint => ({
  url: `${url}/v1/token`,
  style: "json",
  params: camelCase,
  tokens: ({ accessToken, refreshToken, accessTokenExpiresIn }) => ({
    accessToken,
    refreshToken,
    expiresIn: accessTokenExpiresIn,
  }),
  classify: refusedIf(({ error }) =>
    /^(invalid-refresh-token|disabled-user|invalid-request)$/.test(error),
  ),
});
