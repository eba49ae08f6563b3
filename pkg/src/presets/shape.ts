// What all presets are made of.

import type { Address, RefreshFunction, RefreshRequest, TokenEndpoint } from "../options.ts";

/**
 * Where a service is reached.
 *
 * @example const service: Service = { url: "https://auth.example.com" };
 */
export interface Service {
  /** The base address, without a slash at its end. */
  readonly url: string | Address;
}

/**
 * An OAuth client of a service.
 *
 * @example const client: Client = { clientId: "web", clientSecret: process.env["SECRET"] };
 */
export interface Client {
  /** As it was registered. */
  readonly clientId: string;
  /** Only on a server: every reader of a page can read it there. */
  readonly clientSecret?: string | undefined;
}

/** The secret as a parameter, where there is one. @internal */
export const secret = ({ clientSecret }: Client): Record<string, string> =>
  clientSecret === undefined ? {} : { client_secret: clientSecret };

/** For services that want the refresh token under this name, alone in a JSON object. @internal */
export const camelCase = (refreshToken: string): Record<string, string> => ({ refreshToken });

/** A verdict for answers that a condition holds for. @internal */
export const refusedIf =
  (condition: (body: any, status: number) => unknown): TokenEndpoint["classify"] =>
  ({ status }, body) =>
    condition(Object(body), status) ? "refused" : undefined;

/** The header value of a token that has to be there. @internal */
export const bearer = (token: string | undefined): string => {
  if (!token) throw new Error("the session holds no token that this service refreshes by");
  return `Bearer ${token}`;
};

/** For services that no style asks: a POST of its own, refused where a condition holds. @internal */
export const asking =
  (
    url: string | Address,
    init: (request: RefreshRequest) => RequestInit,
    refuses: (body: any, status: number) => unknown,
  ): RefreshFunction =>
  async (request) => {
    const { fetch, signal } = request;
    // A redirect would take the tokens along, and bring those of a stranger.
    const fixed = { method: "POST", redirect: "manual", cache: "no-store", signal } as const;
    const response = await fetch(String(url), { ...fixed, ...init(request) });
    const body = await response.json().catch(() => undefined);
    if (response.ok) return body;
    throw Object.assign(new Error(`the token endpoint answered ${response.status}`), {
      terminal: !!refuses(Object(body), response.status),
    });
  };
