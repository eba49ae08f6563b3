// Requests and answers of token endpoints whose shape is their own: as the engine writes and reads
// them on this side, as the service wants them on the other.

import type { Endpoint } from "./options.ts";
import { texts } from "./parse-options.ts";
import { readTokens } from "./tokens.ts";

/** Stands for what no script sees; each is another one, as the cookies are. @internal */
export const standIn = (): string => `cookies-${Date.now()}-${Math.random()}`;

/** A transport between the engine and such an endpoint. What its functions throw, it rejects with. @internal */
export function tokenTransport(transport: typeof fetch, endpoint: Endpoint): typeof fetch {
  const { style, method, params, tokens, classify } = endpoint;
  const cookies = style === "cookies";
  const places = typeof params === "function";
  if (!(cookies || method === "GET" || places || tokens || classify)) return transport;
  return async (input, init = {}) => {
    // The page may be on its way out: it revokes.
    if (init.keepalive) {
      if (cookies) delete (init.headers as Record<string, string>)["Authorization"];
      return transport(input, init);
    }
    if (places && init.body) init.body = placed(params, String(init.body), style === "json");
    if (method === "GET") Object.assign(init, { method, body: null });
    const response = await transport(input, init);
    const { status, headers } = response;
    const body = await response.text();
    const said = { status, body, ...translated(endpoint, response, body) };
    return { status: said.status, headers, text: async () => said.body } as Response;
  };
}

/** A body in which the application's function has placed the refresh token. */
function placed(params: (token: string) => unknown, body: string, json: boolean): string {
  const written: Record<string, string> = json
    ? JSON.parse(body)
    : Object.fromEntries(new URLSearchParams(body));
  const { refresh_token: token = "", ...rest } = written;
  const fields = { ...rest, ...(texts(params(token), "refresh.params()") as object) };
  return json ? JSON.stringify(fields) : String(new URLSearchParams(fields));
}

/** What differs in an answer in the form of RFC 6749. */
function translated(
  { style, tokens, classify }: Endpoint,
  response: Response,
  text: string,
): { status: number; body: string } | undefined {
  let body: any = text;
  try {
    body = JSON.parse(text);
  } catch {
    // The functions see the text.
  }
  const verdict: any = classify?.(response, body);
  // The hints of 429 say more than those of other refusals.
  if (verdict === "transient") return { status: response.status === 429 ? 429 : 503, body: "" };
  const reason = verdict?.refused;
  if (verdict === "refused" || reason) {
    const error_code = reason === "reuse" ? "reuse_detected" : String(reason).replace("-", "_");
    return { status: 400, body: JSON.stringify({ error: "invalid_grant", error_code }) };
  }
  const granted = verdict === "granted";
  if (!granted && !response.ok) return undefined;
  const read: any = tokens && readTokens(tokens(body, response));
  const { error, errors, error_code } = Object(body);
  if (style === "cookies" && (granted || !(error || errors || error_code || /^\s*</.test(text)))) {
    return { status: 200, body: JSON.stringify({ ...(read ?? body), accessToken: standIn() }) };
  }
  // What brings no token may be a refusal.
  const token = read?.["accessToken"] ?? read?.["access_token"];
  if (token) return { status: 200, body: JSON.stringify(read) };
  return granted ? { status: 200, body: text } : undefined;
}
