// Requests to the token endpoint, and what came back.

import type { SessionErrorCode } from "../errors.ts";
import {
  REFRESH_FAILED,
  REFRESH_GRANTED,
  REFRESH_REFUSED,
  REFRESH_UNREACHABLE,
} from "../inputs.ts";
import type { Endpoint, Logger, Settings } from "../options.ts";
import { textOf } from "../tokens.ts";
import type { Claims } from "../types.ts";

/** What a refresh carries. @internal */
export interface Refresh {
  readonly accessToken: string | undefined;
  readonly refreshToken: string | undefined;
  readonly claims: Claims | null;
  readonly rotationKey: string;
  readonly reason: string;
  readonly lastActivityAt: number;
  readonly signal: AbortSignal;
}

/** What a refresh brought back: an input, and tokens or what else it takes. @internal */
export type Answer = [kind: number, value?: unknown, wait?: number, ...texts: string[]];

/** Asks for new tokens; `fail` is told what was thrown on the way. @internal */
export async function askRefresh(
  settings: Settings,
  request: Refresh,
  fail: (error: unknown) => void,
): Promise<Answer> {
  const { call, url, style, clientId, params: more, rotationKey: carrier } = settings.refresh;
  const { accessToken, refreshToken, rotationKey, signal } = request;
  if (call) {
    try {
      return [REFRESH_GRANTED, await call(request)];
    } catch (error) {
      fail(error);
      const { terminal, code } = Object(error) as { terminal?: unknown; code?: SessionErrorCode };
      return [REFRESH_FAILED, +(terminal === true || code === "ERR_SIGNED_OUT_BY_SERVER")];
    }
  }
  const withBody = hasBody(settings.refresh);
  const params = {
    grant_type: style === "oauth2" && "refresh_token",
    refresh_token: withBody && refreshToken,
    client_id: withBody && clientId,
    ...more,
    rotation_key: (carrier ? carrier === "param" : withBody) && rotationKey,
  };
  const headers = {
    "X-Everfresh": style === "cookie" && "1",
    Authorization: style === "renew" && bearer(accessToken),
    "Idempotency-Key": (carrier ? carrier === "header" : !withBody) && rotationKey,
  };
  try {
    const response = await post(settings, url!, headers, params, { signal }, style === "json");
    return read(response, await response.text());
  } catch (error) {
    fail(error);
    return [REFRESH_UNREACHABLE];
  }
}

/** Tells the server that the session is over; says whether it is. @internal */
export async function askRevoke(
  settings: Settings,
  log: (level: keyof Logger, message: string) => void,
  accessToken: string | null,
  refreshToken: string | null,
  everywhere: number,
): Promise<boolean> {
  const { revokeUrl, clientId, call } = settings.refresh;
  if (!revokeUrl) {
    if (!call) log("warn", "without refresh.revokeUrl the server keeps the session");
    return true;
  }
  const withBody = hasBody(settings.refresh);
  const headers = {
    "X-Everfresh": !withBody && "1",
    Authorization: !withBody && bearer(accessToken),
  };
  // RFC 7009 knows forms only.
  const params = {
    token: withBody && (refreshToken ?? accessToken),
    token_type_hint: withBody && (refreshToken ? "refresh_token" : "access_token"),
    client_id: withBody && clientId,
    everywhere: everywhere && "true",
  };
  try {
    // The page may be on its way out.
    const response = await post(settings, revokeUrl, headers, params, { keepalive: true });
    // A server that does not know the credentials any more has nothing left to end.
    return response.ok || response.status === 401;
  } catch {
    return false;
  }
}

const hasBody = ({ style }: Endpoint): boolean => style === "oauth2" || style === "json";

const bearer = (token: string | null | undefined): unknown => token && `Bearer ${token}`;

/** The fields that are there. */
const given = (fields: object): [string, string][] =>
  Object.entries(fields).filter(([, value]) => typeof value === "string");

function post(
  { refresh: { style, credentials, headers: own }, fetch }: Settings,
  url: string | URL,
  more: object,
  params: object,
  init: RequestInit,
  json?: boolean,
): Promise<Response> {
  const headers = new Headers({ Accept: "application/json" });
  for (const [name, value] of [...given({ ...own }), ...given(more)]) headers.set(name, value);
  const fields = given(params);
  let body: BodyInit | null = fields.length > 0 ? new URLSearchParams(fields) : null;
  if (json) {
    headers.set("Content-Type", "application/json");
    body = JSON.stringify(Object.fromEntries(fields));
  }
  return (fetch ?? globalThis.fetch)(url, {
    method: "POST",
    headers,
    body,
    credentials: credentials ?? (style === "cookie" ? "include" : "same-origin"),
    cache: "no-store",
    // Credentials go to the endpoint that was configured, not to where it points.
    redirect: "manual",
    ...init,
  });
}

function read({ ok, status, headers }: Response, text: string): Answer {
  let body: { error?: unknown; error_code?: unknown } | undefined;
  try {
    body = JSON.parse(text);
  } catch {
    // Not JSON: the status decides.
  }
  // A redirect, which a browser shows as status 0, is an endpoint that is set up wrongly.
  if (status < 400) return [REFRESH_GRANTED, ok && body];
  const { error, error_code } = Object(body) as { error?: unknown; error_code?: unknown };
  return [REFRESH_REFUSED, status, retryAfter(headers), textOf(error), textOf(error_code)];
}

/** `Retry-After` in milliseconds; dates are counted on the server's clock where it shows. */
function retryAfter(headers: Headers): number {
  const value = headers.get("Retry-After") ?? "";
  const wait = /^\d+$/.test(value)
    ? +value * 1_000
    : Date.parse(value) - (Date.parse(headers.get("Date")!) || Date.now());
  return Math.max(0, wait);
}
