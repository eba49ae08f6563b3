// Parses the options: every value is checked before anything happens.

import { InvalidOptionError } from "./errors.ts";
import type { Endpoint, Parsed, SessionOptions, Settings } from "./options.ts";
import { own } from "./own.ts";

/** The value of an option as it is used, or an error that names it. */
type Rule = (value: unknown, name: string) => unknown;

/** Checks the options and brings them into the form that everything else uses. */
export function parseOptions(options: SessionOptions): Settings {
  const parsed = read<Parsed>(object(options, "options") as object, "", "refresh", {
    refresh: [endpoint],
    // Elsewhere one process may serve many users.
    name: [text, globalThis.location?.origin && "default"],
    leadSeconds: [(value, name) => (isFunction(value) ? value : seconds(value, name)), 60],
    jitterSeconds: [seconds, 30],
    minIntervalSeconds: [seconds, 5],
    idleSeconds: [limit, typeof document === "undefined" ? Infinity : 1_800],
    idleMode: [oneOf("lapse", "end")],
    warnSeconds: [seconds, 60],
    extendOn: [oneOf("input", "touch")],
    maxSessionSeconds: [limit, Infinity],
    activityEvents: [listOf(text), activityEvents],
    origins: [listOf(origin)],
    storage: [storage, "memory"],
    timeoutSeconds: [positive, 10],
    waitSeconds: [limit, 30],
    isUnauthorized: [callable],
    renewalHeader: [header],
    fetch: [callable],
    logger: [methods("debug", "info", "warn", "error")],
  });
  const { refresh, leadSeconds, idleMode, extendOn, activityEvents: events } = parsed;
  // Of what was given: a short idle time with the usual warning is warned of at once.
  if (options.warnSeconds! > options.idleSeconds!) {
    rule("at most idleSeconds", () => false)(options.warnSeconds, "warnSeconds");
  }
  return {
    ...parsed,
    engine: own<Settings["engine"]>({
      ...refresh,
      lead: 1_000 * (typeof leadSeconds === "function" ? 60 : leadSeconds),
      jitter: 1_000 * parsed.jitterSeconds,
      minInterval: 1_000 * parsed.minIntervalSeconds,
      idle: 1_000 * parsed.idleSeconds,
      idleMode,
      extendByTouch: extendOn === "touch",
      warn: 1_000 * parsed.warnSeconds,
      maxSession: 1_000 * parsed.maxSessionSeconds,
      timeout: 1_000 * parsed.timeoutSeconds,
      wait: 1_000 * parsed.waitSeconds,
      storage: parsed.storage,
      activityEvents: events,
    }),
  };
}

const activityEvents = [
  ...["pointerdown", "pointermove", "keydown", "input", "wheel", "touchstart", "scroll"],
];

function endpoint(value: unknown, name: string): Endpoint {
  if (isFunction(value)) return own<Endpoint>({ style: "function", call: value });
  const remedy = "the token endpoint's URL, a TokenEndpoint, or a function";
  const given = isAddress(value) ? { url: value } : rule(remedy, isObject)(value, name);
  const endpoint = read<Endpoint>(given as object, "refresh.", "url", {
    url: [url],
    style: [oneOf("oauth2", "json", "cookie", "cookies", "renew"), "oauth2"],
    clientId: [text],
    headers: [headers],
    credentials: [oneOf("omit", "same-origin", "include")],
    revokeUrl: [url],
    params: [(value, name) => (isFunction(value) ? value : texts(value, name))],
    method: [oneOf("POST", "GET")],
    rotationKey: [oneOf("param", "header", "off")],
    tokens: [callable],
    classify: [callable],
  });
  // A token in the body would end up in the address, and with it in logs.
  if (/^oauth2|^json/.test(endpoint.style)) oneOf("POST")(endpoint.method ?? "POST", `${name}.method`);
  return endpoint;
}

/** Reads fields, of which one must be there. A field that nobody knows may be misspelt. */
function read<T>(
  from: object,
  prefix: string,
  required: string,
  rules: Readonly<Record<string, readonly [rule: Rule, initial?: unknown]>>,
): T {
  const given = own(from) as Readonly<Record<string, unknown>>;
  for (const name in given) {
    if (Object.hasOwn(rules, name)) continue;
    // Its value stays untold: what is misplaced may be a token.
    const remedy = `remove it; known are ${Object.keys(rules).join(", ")}`;
    throw new InvalidOptionError(`option ${prefix}${name} does not exist: ${remedy}`);
  }
  const fields = Object.entries(rules).map(([name, [rule, initial]]) => {
    const value = given[name];
    const known = value !== undefined || name === required;
    return [name, known ? rule(value, prefix + name) : initial];
  });
  return own(Object.fromEntries(fields)) as T;
}

/** What a value must be: `fits` says no by false or by throwing. */
const rule =
  (remedy: string, fits: (value: any) => unknown): Rule =>
  (value, name) => {
    try {
      if (fits(value)) return value;
    } catch {
      // The platform can make nothing of it.
    }
    throw new InvalidOptionError(`option ${name} cannot be ${shown(value)}: pass ${remedy}`);
  };

function shown(value: unknown): string {
  if (isFunction(value)) return "a function";
  if (isObject(value)) return Array.isArray(value) ? "an array" : "an object";
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

const isFunction = (value: unknown): value is (...args: any[]) => any =>
  typeof value === "function";
const isObject = (value: unknown): boolean => Object(value) === value;
const isText = (value: unknown): boolean => typeof value === "string" && value !== "";
const isAddress = (value: unknown): value is string | URL =>
  typeof value === "string" || value instanceof URL;
const has =
  (...names: string[]) =>
  (value: any): boolean =>
    names.every((name) => isFunction(value[name]));

type Duration = (value: unknown, name: string) => number;

const duration = (least: string, most: number, fits: (value: number) => boolean): Duration =>
  rule(
    `seconds, ${least}, at most ${most}`,
    (value) => typeof value === "number" && fits(value) && value <= most,
  ) as Duration;
/** From 0 on. @internal */
export const seconds: Duration = duration("0 or more", 1e9, (value) => value >= 0);
const positive = duration("more than 0", 1e9, (value) => value > 0);
const limit = duration("more than 0", Infinity, (value) => value > 0);

const text = rule("a string that is not empty", isText);
const callable = rule("a function", isFunction);
const object = rule("an object", isObject);
const address = rule("a URL without login", (value) =>
  // A base as any other: the page's own is known only when a request is sent.
  isText(value) && /^https?:..[^@/]+\//.test(new URL(value, "http://a").href),
);
// As text, which is read once and which no script can change.
const url: Rule = (value, name) => address(isAddress(value) ? String(value) : value, name);
const oneOrigin = rule('an origin such as "https://api.example.com", without path, login or *', (value) => {
  // Anything beyond the origin would be taken for a limit that nothing keeps.
  const { origin, href } = new URL(value);
  return /^http[^*]+$/.test(origin) && href === `${origin}/`;
});
const origin: Rule = (value, name) =>
  new URL(oneOrigin(isAddress(value) ? String(value) : value, name) as string).origin;
const header = rule("the name of a header", (value) => isText(value) && new Headers([[value, ""]]));
const places = ["memory", "session", "local"];
const storage = rule(
  '"memory", "session", "local" or an object with the methods get, set, remove',
  (value) => places.includes(value) || has("get", "set", "remove")(value),
);
const methods = (...names: string[]): Rule =>
  rule(`an object with the methods ${names.join(", ")}`, has(...names));
const oneOf = (...allowed: string[]): Rule =>
  rule(`one of "${allowed.join('", "')}"`, (value) => allowed.includes(value));
const listOf =
  (each: Rule): Rule =>
  (value, name) =>
    (list(value, name) as unknown[]).map((item, i) => each(item, `${name}[${i}]`));
const list = rule("an array", Array.isArray);
/** Own fields that are texts. @internal */
export const texts: Rule = (value, name) =>
  Object.fromEntries(
    Object.entries(object(value, name) as object).map(([key, item]) => [
      key,
      string(item, `${name}.${key}`),
    ]),
  );
const string = rule("a string", (value) => typeof value === "string");
const headers: Rule = (value, name) =>
  rule("what HTTP headers can hold", (value) => new Headers(value))(texts(value, name), name);
