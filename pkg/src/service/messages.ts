// What a token service hears and says, whatever carries it.

/** A request. */
export interface ServiceRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

/** An answer. */
export interface ServiceResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** Of their own, because there may be several. */
  readonly cookies?: readonly string[];
  readonly body: string;
}

/** JSON that no cache keeps. */
export function json(
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
  cookies: readonly string[] = [],
): ServiceResponse {
  const kept = { "Content-Type": "application/json", "Cache-Control": "no-store", Pragma: "no-cache" };
  return { status, headers: { ...kept, ...headers }, cookies, body: JSON.stringify(value) };
}

/** An answer without a body. */
export const empty = (status: number, cookies: readonly string[] = []): ServiceResponse => ({
  ...{ status, headers: { "Cache-Control": "no-store" }, cookies, body: "" },
});

/** A refusal as RFC 6749 section 5.2 writes it. */
export function refusal(
  status: number,
  error: string,
  code?: string,
  headers: Record<string, string> = {},
): ServiceResponse {
  return json(status, { error, ...(code && { error_code: code }) }, headers);
}

/** The fields of a form or of a JSON object; undefined for anything else. */
export function fieldsOf(request: ServiceRequest): Record<string, unknown> | undefined {
  if (/json/.test(request.headers.get("Content-Type") ?? "")) {
    try {
      const value: unknown = JSON.parse(request.body);
      return Object(value) === value && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
    } catch {
      return undefined;
    }
  }
  return Object.fromEntries(new URLSearchParams(request.body));
}

/** The value of a cookie; empty when there is none. */
export function cookieOf(request: ServiceRequest, name: string): string {
  const cookies = (request.headers.get("Cookie") ?? "").split(/; */);
  return cookies.find((cookie) => cookie.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
}

/** The bearer token; undefined when there is none. */
export const bearerOf = (request: ServiceRequest): string | undefined =>
  /^Bearer +(.*)$/i.exec(request.headers.get("Authorization") ?? "")?.[1];
