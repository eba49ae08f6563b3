// Parses the options: every value is checked before anything happens.

import { InvalidOptionError } from "./errors.ts";
import type { Endpoint, SessionOptions, Settings, TokenEndpoint } from "./options.ts";

/** Checks the options and brings them into the form that everything else uses. */
export function parseOptions(options: SessionOptions): Settings {
  const read = object(options, "options") as Record<string, unknown>;
  const known = ["refresh"];
  const optional = reader(read, "", known);
  const millis = (name: string, initial: number, positive?: boolean, most?: number): number =>
    1_000 * (optional(name, seconds(positive, most)) ?? initial);

  const [endpoint, credential] = parseRefresh(read["refresh"]);
  endpoint.fetch = optional("fetch", callable) as typeof fetch | undefined;
  const lead = read["leadSeconds"];
  const ownLead = typeof lead === "function";
  const initialIdle = typeof document === "undefined" ? Infinity : 1_800;
  const settings: Settings = {
    name: optional("name", text) ?? "default",
    policy: [
      1_000 * (optional("leadSeconds", ownLead ? () => 60 : seconds()) ?? 60),
      millis("jitterSeconds", 30),
      millis("minIntervalSeconds", 5),
      millis("idleSeconds", initialIdle, true, Infinity),
      optional("idleMode", oneOf("lapse", "end")) === "end",
      millis("warnSeconds", 60),
      millis("maxSessionSeconds", Infinity, true, Infinity),
      millis("timeoutSeconds", 10, true),
      millis("waitSeconds", 30, true, Infinity),
      credential,
    ],
    endpoint,
    storage: (optional("storage", parseStorage) as Settings["storage"] | undefined) ?? "memory",
    activityEvents: optional("activityEvents", list(text)) ?? activityEvents,
    lead: ownLead ? (lead as Settings["lead"]) : undefined,
    origins: optional("origins", (value, name) => new Set(list(parseOrigin)(value, name))),
    isUnauthorized: optional("isUnauthorized", callable) as Settings["isUnauthorized"],
    renewalHeader: optional("renewalHeader", header),
    fetch: endpoint.fetch,
    logger: optional("logger", methods("debug", "info", "warn", "error")) as Settings["logger"],
  };
  refuseOthers(read, "", known);
  return settings;
}

/** The value stays untold: what is misplaced may be a token. */
function refuseOthers(given: object, prefix: string, known: string[]): void {
  for (const name in given) {
    if (known.includes(name)) continue;
    const remedy = `remove it; known are ${known.join(", ")}`;
    throw new InvalidOptionError(`option ${prefix}${name} does not exist: ${remedy}`);
  }
}

const activityEvents = [
  ...["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "scroll"],
];
const styles = ["oauth2", "json", "cookie", "renew"] as const;
const FUNCTION = 3;

/** The endpoint, and what a refresh needs to be tried. */
function parseRefresh(value: unknown): [Endpoint, number] {
  if (typeof value === "function") {
    return [{ call: value as NonNullable<Endpoint["call"]> }, FUNCTION];
  }
  if (typeof value === "string" || value instanceof URL) value = { url: value };
  const given = object(value, "refresh") as Partial<TokenEndpoint>;
  const known = ["url"];
  const optional = reader(given, "refresh.", known);

  const style = optional("style", oneOf(...styles)) ?? "oauth2";
  const withBody = style === "oauth2" || style === "json";
  const endpoint = {
    url: url(given.url, "refresh.url"),
    style,
    clientId: optional("clientId", text),
    headers: optional("headers", headers),
    credentials: optional("credentials", oneOf("omit", "same-origin", "include")),
    revokeUrl: optional("revokeUrl", url),
    params: optional("params", texts),
    rotationKey:
      optional("rotationKey", oneOf("param", "header", "off")) ?? (withBody ? "param" : "header"),
  };
  refuseOthers(given, "refresh.", known);
  return [endpoint, style === "cookie" ? 2 : style === "renew" ? 1 : 0];
}

type Check<T> = (value: unknown, name: string) => T;

/** Reads optional fields by name; keeps a list of the names that it was asked for. */
const reader =
  (from: object, prefix: string, asked: string[] = []) =>
  <T>(name: string, check: Check<T>): T | undefined => {
    asked.push(name);
    const value = (from as Record<string, unknown>)[name];
    return value === undefined ? undefined : check(value, prefix + name);
  };

/** From 0, or from more than 0. */
export const seconds =
  (positive?: boolean, most = 1e9): Check<number> =>
  (value, name) =>
    typeof value === "number" && (positive ? value > 0 : value >= 0) && value <= most
      ? value
      : fail(
          name,
          value,
          `pass seconds, ${positive ? "more than 0" : "0 or more"}; ` +
            (most === Infinity ? "Infinity switches it off" : "at most 1e9"),
        );

const oneOf = <const T extends string>(...allowed: T[]) => (value: unknown, name: string): T =>
  allowed.includes(value as T)
    ? (value as T)
    : fail(name, value, `pass one of "${allowed.join('", "')}"`);

const list = <T>(check: (value: unknown, name: string) => T) => (value: unknown, name: string): T[] =>
  Array.isArray(value)
    ? value.map((item, i) => check(item, `${name}[${i}]`))
    : fail(name, value, "pass an array");

const methods = (...names: string[]) => (value: unknown, name: string): object => {
  const given = object(value, name) as Record<string, unknown>;
  const missing = names.filter((method) => typeof given[method] !== "function");
  if (missing.length > 0) fail(name, value, `pass an object with the methods ${names.join(", ")}`);
  return given;
};

function parseStorage(value: unknown, name: string): unknown {
  if (value === "memory" || value === "session" || value === "local") return value;
  if (typeof value === "object") return methods("get", "set", "remove")(value, name);
  fail(name, value, 'pass "memory", "session", "local" or an object with get, set and remove');
}

function parseOrigin(value: unknown, name: string): string {
  const remedy = 'pass an origin such as "https://api.example.com", without a path';
  let url: URL;
  try {
    url = new URL(value as string | URL);
  } catch {
    return fail(name, value, remedy);
  }
  const { protocol, origin, href } = url;
  // Anything beyond the origin would be taken for a limit that nobody keeps.
  if (!/^https?:$/.test(protocol) || href !== `${origin}/`) fail(name, value, remedy);
  return origin;
}

function text(value: unknown, name: string): string {
  return typeof value === "string" && value !== ""
    ? value
    : fail(name, value, "pass a string that is not empty");
}

function url(value: unknown, name: string): string {
  const given = text(value instanceof URL ? value.href : value, name);
  // A base as any other: the page's own is known only when a request is sent.
  return possible(() => new URL(given, "http://a"), given, name, "pass a URL");
}

/** The value, if the platform can make something of it. */
function possible<T>(make: () => unknown, value: T, name: string, remedy: string): T {
  try {
    make();
  } catch {
    fail(name, value, remedy);
  }
  return value;
}

function header(value: unknown, name: string): string {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(text(value, name))
    ? (value as string)
    : fail(name, value, "pass the name of a header");
}

function texts(value: unknown, name: string): Record<string, string> {
  const given = object(value, name) as Record<string, string>;
  for (const key of Object.keys(given)) {
    if (typeof given[key] !== "string") fail(`${name}.${key}`, given[key], "pass a string");
  }
  return given;
}

function headers(value: unknown, name: string): Record<string, string> {
  const given = texts(value, name);
  return possible(() => new Headers(given), given, name, "pass what HTTP headers can hold");
}

function callable(value: unknown, name: string): unknown {
  return typeof value === "function" ? value : fail(name, value, "pass a function");
}

function object(value: unknown, name: string): object {
  return typeof value === "object" && value !== null
    ? value
    : fail(name, value, name === "refresh" ? refreshRemedy : "pass an object");
}

const refreshRemedy = "pass the token endpoint's URL, a TokenEndpoint, or a function";

/** Rejects one option. */
export function fail(name: string, value: unknown, remedy: string): never {
  const shown = typeof value === "string" ? JSON.stringify(value) : describe(value);
  throw new InvalidOptionError(`option ${name} cannot be ${shown}: ${remedy}`);
}

function describe(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? "an array" : "an object";
}
