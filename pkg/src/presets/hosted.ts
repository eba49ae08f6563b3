// Hosted services. Facts and their sources: docs/presets.md.

import type { TokenEndpoint } from "../options.ts";
import { type Client, refusedIf, secret, type Service } from "./shape.ts";

/**
 * Supabase Auth (GoTrue). `apiKey` is the project's publishable key.
 *
 * @example createSession({ refresh: supabase({ url: "https://abc.supabase.co", apiKey: "sb_publishable_..." }) });
 */
export const supabase = ({ url, apiKey }: Service & { readonly apiKey: string }): TokenEndpoint => ({
  url: `${url}/auth/v1/token?grant_type=refresh_token`,
  style: "json",
  headers: { apikey: apiKey },
  classify: ({ status }, body) => {
    const { error_code, code } = Object(body);
    const word = String(error_code ?? code);
    if (word === "refresh_token_already_used") return { refused: "reuse" };
    if (/^(refresh_token|session)_|^user_banned$/.test(word)) return "refused";
    return status === 409 ? "transient" : undefined;
  },
});

/**
 * Firebase Authentication, by its REST API.
 *
 * @example createSession({ refresh: firebase({ apiKey: "AIza..." }) });
 */
export const firebase = ({ apiKey }: { readonly apiKey: string }): TokenEndpoint => ({
  url: `https://securetoken.googleapis.com/v1/token?key=${encodeURIComponent(apiKey)}`,
  rotationKey: "off",
  tokens: ({ id_token, refresh_token, expires_in }) => ({
    accessToken: id_token,
    refreshToken: refresh_token,
    expiresIn: Number(expires_in),
  }),
  classify: refusedIf(({ error }) =>
    /^(TOKEN_EXPIRED|USER_DISABLED|USER_NOT_FOUND|INVALID_REFRESH_TOKEN)\b/.test(error?.message),
  ),
});

/**
 * Amazon Cognito user pools, by their API.
 *
 * @example createSession({ refresh: cognito({ region: "eu-west-1", clientId: "web" }) });
 */
export const cognito = ({ region, clientId }: Client & { readonly region: string }): TokenEndpoint => ({
  url: `https://cognito-idp.${region}.amazonaws.com/`,
  style: "json",
  headers: {
    "Content-Type": "application/x-amz-json-1.1",
    "X-Amz-Target": "AWSCognitoIdentityProviderService.GetTokensFromRefreshToken",
  },
  params: (token) => ({ ClientId: clientId, RefreshToken: token }),
  tokens: ({ AuthenticationResult: result }) => ({
    accessToken: result?.AccessToken,
    refreshToken: result?.RefreshToken,
    expiresIn: result?.ExpiresIn,
  }),
  classify: (_, body) => {
    const type = String(Object(body).__type).replace(/^.*#/, "");
    if (type === "RefreshTokenReuseException") return { refused: "reuse" };
    if (/^(TooManyRequests|InternalError)Exception$/.test(type)) return "transient";
    return /^(NotAuthorized|UserNotFound|TokenRevoked|PasswordResetRequired|UserNotConfirmed)Exc/.test(type)
      ? "refused"
      : undefined;
  },
});

/**
 * GitHub Apps with tokens that expire.
 *
 * @example createSession({ refresh: github({ clientId: "Iv1...", clientSecret: process.env["SECRET"] }) });
 */
export const github = (client: Client): TokenEndpoint => ({
  url: "https://github.com/login/oauth/access_token",
  clientId: client.clientId,
  params: secret(client),
  classify: refusedIf(({ error }) => error === "bad_refresh_token"),
});

/**
 * Slack with token rotation.
 *
 * @example createSession({ refresh: slack({ clientId: "1.2", clientSecret: process.env["SECRET"] }) });
 */
export const slack = (client: Client): TokenEndpoint => ({
  url: "https://slack.com/api/oauth.v2.access",
  clientId: client.clientId,
  params: secret(client),
  // `token_type` is "bot" or "user" there.
  tokens: ({ access_token, refresh_token, expires_in }) => ({ access_token, refresh_token, expires_in }),
  classify: (_, body) => {
    const { ok, error } = Object(body);
    if (ok !== false || typeof error !== "string") return undefined;
    const passing = /^(internal_error|fatal_error|ratelimited|service_unavailable|request_timeout)$/;
    return passing.test(error) ? "transient" : "refused";
  },
});

/**
 * Zoom. `basic` is `client_id:client_secret` in base64.
 *
 * @example createSession({ refresh: zoom({ basic: btoa("id:secret") }) });
 */
export const zoom = ({ basic }: { readonly basic: string }): TokenEndpoint => ({
  url: "https://zoom.us/oauth/token",
  headers: { Authorization: `Basic ${basic}` },
  classify: refusedIf(({ reason }) => reason === "Invalid Token!"),
});

/**
 * HubSpot.
 *
 * @example createSession({ refresh: hubspot({ clientId: "web", clientSecret: process.env["SECRET"] }) });
 */
export const hubspot = (client: Client): TokenEndpoint => ({
  url: "https://api.hubapi.com/oauth/v1/token",
  clientId: client.clientId,
  params: secret(client),
  classify: refusedIf(({ status }) => status === "BAD_REFRESH_TOKEN"),
});

/**
 * Strava.
 *
 * @example createSession({ refresh: strava({ clientId: "web", clientSecret: process.env["SECRET"] }) });
 */
export const strava = (client: Client): TokenEndpoint => ({
  url: "https://www.strava.com/oauth/token",
  clientId: client.clientId,
  params: secret(client),
  classify: refusedIf(({ errors }) => errors?.[0]?.resource === "RefreshToken"),
});

/**
 * Salesforce, which says of no token how long it lives: the org's session timeout, in seconds.
 *
 * @example createSession({ refresh: salesforce({ url: "https://login.salesforce.com", clientId: "web", sessionSeconds: 7_200 }) });
 */
export const salesforce = ({
  url,
  sessionSeconds,
  ...client
}: Service & Client & { readonly sessionSeconds: number }): TokenEndpoint => ({
  url: `${url}/services/oauth2/token`,
  clientId: client.clientId,
  params: secret(client),
  tokens: ({ access_token, refresh_token }) => ({ access_token, refresh_token, expires_in: sessionSeconds }),
  classify: refusedIf(({ error }) => error === "inactive_user"),
});

/**
 * Microsoft Entra ID. `scope` as at sign-in.
 *
 * @example createSession({ refresh: entra({ tenant: "common", clientId: "web", scope: "openid offline_access" }) });
 */
export const entra = ({
  tenant,
  clientId,
  scope,
}: Client & { readonly tenant: string; readonly scope: string }): TokenEndpoint => ({
  url: `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`,
  clientId,
  params: { scope },
});

/**
 * GitLab, which wants the redirect address again.
 *
 * @example createSession({ refresh: gitlab({ url: "https://gitlab.com", clientId: "web", redirectUri: "https://example.com/done" }) });
 */
export const gitlab = ({
  url,
  clientId,
  redirectUri,
}: Service & Client & { readonly redirectUri: string }): TokenEndpoint => ({
  url: `${url}/oauth/token`,
  revokeUrl: `${url}/oauth/revoke`,
  clientId,
  params: { redirect_uri: redirectUri },
});

/**
 * Clerk's frontend API, by its cookie.
 *
 * @example createSession({ refresh: clerk({ url: "https://clerk.example.com", sessionId: "sess_1" }) });
 */
export const clerk = ({ url, sessionId }: Service & { readonly sessionId: string }): TokenEndpoint => ({
  url: `${url}/v1/client/sessions/${encodeURIComponent(sessionId)}/tokens`,
  style: "cookie",
  tokens: ({ jwt }) => ({ accessToken: jwt }),
  classify: refusedIf(({ errors }, status) => status === 422 && errors?.[0]?.code),
});
