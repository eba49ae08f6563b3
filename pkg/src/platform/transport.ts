// Requests to the token endpoint, and what came back.

import type { Endpoint } from "../options.ts";
import type { Claims } from "../types.ts";

/** What a refresh carries. @internal */
export interface Refresh {
  readonly accessToken: string | undefined;
  readonly refreshToken: string | undefined;
  readonly claims: Claims | null;
  readonly rotationKey: string;
  readonly reason: string;
  readonly lastActivityAt: number;
}

/** What a revocation carries. @internal */
export interface Revoke {
  readonly accessToken: string | null;
  readonly refreshToken: string | null;
  readonly everywhere: number;
}

/** What a refresh brought back. @internal */
export interface Answer {
  /** The application's function failed. */
  readonly failed?: boolean;
  /** And said that there is no point in another attempt. */
  readonly terminal?: boolean;
  /** 0: nothing came back; absent: success. */
  readonly status?: number;
  readonly tokens?: unknown;
  readonly error?: string | undefined;
  readonly errorCode?: string | undefined;
  /** In milliseconds. */
  readonly retryAfter?: number;
}

/** Sends one refresh; `done(answer)` unless the returned controller is aborted. @internal */
export function sendRefresh(
  endpoint: Endpoint,
  request: Refresh,
  done: (answer: Answer) => void,
): AbortController {
  return send(done, (signal) =>
    endpoint.call
      ? callFunction(endpoint.call, { ...request, signal })
      : askServer(endpoint, request, signal),
  );
}

/** Tells the server that the session is over; `done(whether it is)`. @internal */
export function sendRevoke(
  endpoint: Endpoint,
  request: Revoke,
  done: (revoked: boolean) => void,
): AbortController {
  return send(done, (signal) => postRevoke(endpoint, request, signal));
}

function send<T>(
  done: (answer: T) => void,
  ask: (signal: AbortSignal) => Promise<T>,
): AbortController {
  const controller = new AbortController();
  const { signal } = controller;
  ask(signal).then((answer) => {
    if (!signal.aborted) done(answer);
  });
  return controller;
}

async function callFunction(
  call: NonNullable<Endpoint["call"]>,
  request: object,
): Promise<Answer> {
  try {
    return { tokens: await call(request) };
  } catch (error) {
    const { terminal, code } = (error ?? {}) as { terminal?: unknown; code?: unknown };
    return { failed: true, terminal: terminal === true || code === "ERR_SIGNED_OUT_BY_SERVER" };
  }
}

async function askServer(
  endpoint: Endpoint,
  { accessToken, refreshToken, rotationKey }: Refresh,
  signal: AbortSignal,
): Promise<Answer> {
  const { style, clientId, rotationKey: carrier } = endpoint;
  const headers = new Headers(endpoint.headers);
  const params: Record<string, string> = {};
  if (style === "oauth2") params["grant_type"] = "refresh_token";
  if (hasBody(endpoint)) {
    if (refreshToken) params["refresh_token"] = refreshToken;
    if (clientId) params["client_id"] = clientId;
  } else if (style === "cookie") headers.set("X-Everfresh", "1");
  else if (accessToken) headers.set("Authorization", `Bearer ${accessToken}`);
  Object.assign(params, endpoint.params);
  if (carrier === "param") params["rotation_key"] = rotationKey;
  if (carrier === "header") headers.set("Idempotency-Key", rotationKey);
  const json = style === "json";
  if (json) headers.set("Content-Type", "application/json");
  const body = json ? JSON.stringify(params) : encode(params);
  try {
    const response = await post(endpoint, endpoint.url!, headers, body, { signal });
    return read(response, await response.text());
  } catch {
    return { status: 0 };
  }
}

async function postRevoke(
  endpoint: Endpoint,
  { accessToken, refreshToken, everywhere }: Revoke,
  signal: AbortSignal,
): Promise<boolean> {
  const { revokeUrl, clientId } = endpoint;
  if (!revokeUrl) return true;
  const headers = new Headers(endpoint.headers);
  const params: Record<string, string> = {};
  if (hasBody(endpoint)) {
    params["token"] = String(refreshToken ?? accessToken);
    params["token_type_hint"] = refreshToken ? "refresh_token" : "access_token";
    if (clientId) params["client_id"] = clientId;
  } else {
    headers.set("X-Everfresh", "1");
    if (accessToken) headers.set("Authorization", `Bearer ${accessToken}`);
  }
  if (everywhere) params["everywhere"] = "true";
  try {
    const body = encode(params); // RFC 7009 knows forms only
    const page = { signal, keepalive: true }; // which may be on its way out
    const response = await post(endpoint, revokeUrl, headers, body, page);
    // A server that does not know the credentials any more has nothing left to end.
    return response.ok || response.status === 401;
  } catch {
    return false;
  }
}

const hasBody = ({ style }: Endpoint): boolean => style === "oauth2" || style === "json";

/** A form, or nothing when there is nothing to say. */
function encode(params: Record<string, string>): URLSearchParams | undefined {
  const form = new URLSearchParams(params);
  return String(form) ? form : undefined;
}

function post(
  { style, credentials, fetch }: Endpoint,
  url: string,
  headers: Headers,
  body: BodyInit | undefined,
  init: RequestInit,
): Promise<Response> {
  if (!headers.has("Accept")) headers.set("Accept", "application/json");
  return (fetch ?? globalThis.fetch)(url, {
    method: "POST",
    headers,
    body: body!,
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
  if (ok) return { tokens: body };
  // A redirect, which a browser shows as status 0, is an endpoint that is set up wrongly.
  if (status < 400) return { status: 300 };
  return {
    status,
    error: string(body?.error),
    errorCode: string(body?.error_code),
    retryAfter: retryAfter(headers),
  };
}

const string = (value: unknown): string | undefined =>
  typeof value === "string" ? value : undefined;

/** `Retry-After` in milliseconds; dates are counted on the server's clock where it shows. */
function retryAfter(headers: Headers): number {
  const value = headers.get("Retry-After");
  if (!value) return NaN;
  const wait = /^\d+$/.test(value)
    ? +value * 1_000
    : Date.parse(value) - (Date.parse(headers.get("Date")!) || Date.now());
  return Math.max(0, wait);
}
