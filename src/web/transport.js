// Requests to the token endpoint, and what came back.

/** Sends one refresh; `done(attempt, answer)` unless the returned controller is aborted before. */
export function sendRefresh(
  endpoint,
  attempt,
  accessToken,
  refreshToken,
  rotationKey,
  reason,
  lastActivityAt,
  done,
) {
  const controller = new AbortController();
  const { signal } = controller;
  const request = { accessToken, refreshToken, rotationKey, reason, lastActivityAt, signal };
  (endpoint.call ? callFunction(endpoint, request) : askServer(endpoint, request)).then((answer) => {
    if (!signal.aborted) done(attempt, answer);
  });
  return controller;
}

/** Tells the server that the session is over; `done(revoke, whether it is)`. */
export function sendRevoke(endpoint, revoke, accessToken, refreshToken, everywhere, done) {
  const controller = new AbortController();
  const { signal } = controller;
  postRevoke(endpoint, accessToken, refreshToken, everywhere, signal).then((revoked) => {
    if (!signal.aborted) done(revoke, revoked);
  });
  return controller;
}

async function callFunction(endpoint, request) {
  try {
    return { tokens: await endpoint.call(request) };
  } catch (error) {
    const terminal = error?.terminal === true || error?.code === "ERR_SIGNED_OUT_BY_SERVER";
    return { failed: true, terminal };
  }
}

async function askServer(endpoint, { accessToken, refreshToken, rotationKey, signal }) {
  const { style, clientId, rotationKey: carrier } = endpoint;
  const headers = new Headers(endpoint.headers);
  const params = {};
  if (style === "oauth2") params.grant_type = "refresh_token";
  if (style === "oauth2" || style === "json") {
    if (refreshToken) params.refresh_token = refreshToken;
    if (clientId) params.client_id = clientId;
  } else if (style === "cookie") headers.set("X-Everfresh", "1");
  else if (accessToken) headers.set("Authorization", `Bearer ${accessToken}`);
  Object.assign(params, endpoint.params);
  if (carrier === "param") params.rotation_key = rotationKey;
  if (carrier === "header") headers.set("Idempotency-Key", rotationKey);
  if (style === "json") headers.set("Content-Type", "application/json");
  const body = style === "json" ? JSON.stringify(params) : encode(params);
  try {
    const response = await post(endpoint, endpoint.url, headers, body, { signal });
    return read(response, await response.text());
  } catch {
    return { status: 0 };
  }
}

async function postRevoke(endpoint, accessToken, refreshToken, everywhere, signal) {
  const { revokeUrl, style, clientId } = endpoint;
  if (!revokeUrl) return true;
  const headers = new Headers(endpoint.headers);
  const params = {};
  if (style === "oauth2" || style === "json") {
    params.token = refreshToken ?? accessToken;
    params.token_type_hint = refreshToken ? "refresh_token" : "access_token";
    if (clientId) params.client_id = clientId;
  } else {
    headers.set("X-Everfresh", "1");
    if (accessToken) headers.set("Authorization", `Bearer ${accessToken}`);
  }
  if (everywhere) params.everywhere = "true";
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

/** A form, or nothing when there is nothing to say. */
function encode(params) {
  const form = new URLSearchParams(params);
  return String(form) ? form : undefined;
}

function post({ style, credentials, fetch }, url, headers, body, init) {
  if (!headers.has("Accept")) headers.set("Accept", "application/json");
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

function read(response, text) {
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    // Not JSON: the status decides.
  }
  const { status } = response;
  if (response.ok) return { status, tokens: body };
  // A redirect, which a browser shows as status 0, is an endpoint that is set up wrongly.
  if (status < 400) return { status: 300 };
  return {
    status,
    error: string(body?.error),
    errorCode: string(body?.error_code),
    retryAfter: retryAfter(response.headers),
  };
}

const string = (value) => (typeof value === "string" ? value : undefined);

/** `Retry-After` in milliseconds; dates are counted on the server's clock where it shows. */
function retryAfter(headers) {
  const value = headers.get("Retry-After");
  if (!value) return undefined;
  const wait = /^\d+$/.test(value)
    ? value * 1_000
    : Date.parse(value) - (Date.parse(headers.get("Date")) || Date.now());
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}
