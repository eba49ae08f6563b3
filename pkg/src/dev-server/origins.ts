// Which pages may use the server: its own, and those that were named.

import type { ServiceRequest } from "../service/messages.ts";

/** Who asks, and what the answer must say to that page. */
export interface Asker {
  /** Whether it is the server's own page or no page at all, or one that was named. */
  readonly welcome: boolean;
  readonly headers: Record<string, string>;
}

const ALLOWED = {
  "Access-Control-Allow-Credentials": "true",
  "Access-Control-Allow-Headers": "authorization, content-type, idempotency-key, x-everfresh",
  "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
  "Access-Control-Expose-Headers": "date, refresh-replayed, retry-after, www-authenticate",
  "Access-Control-Max-Age": "5",
};

/** Judges the `Origin` of a request. */
export function askerOf(request: ServiceRequest, origins: readonly string[]): Asker {
  const origin = request.headers.get("Origin");
  const vary = { Vary: "Origin" };
  if (origin === null) return { welcome: true, headers: vary };
  const own = new RegExp(`^https?://${escape(request.headers.get("Host") ?? "")}$`);
  if (own.test(origin)) return { welcome: true, headers: vary };
  if (!origins.includes(origin)) return { welcome: false, headers: vary };
  return { welcome: true, headers: { ...vary, "Access-Control-Allow-Origin": origin, ...ALLOWED } };
}

/** Whether a `Host` is a name of this machine: others lead here by a trick of DNS. */
export const isLocalName = (host: unknown): boolean =>
  /^(localhost|[\w-]+\.localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(String(host));

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
