// A request that can be sent twice and differs in its Authorization only.

import { type FetchInput, pageBase } from "./allowed-origins.ts";
import { own } from "./own.ts";

/** One call of `fetch`, read once. @internal */
export interface ReplayableRequest {
  /** Where to, as it was judged. */
  readonly address: string;
  /** What a relative address is resolved against. */
  readonly base: string | undefined;
  /** The caller's Request. */
  readonly request: Request | undefined;
  /** The caller's fields. */
  readonly fields: RequestInit | undefined;
  /** The caller's headers; no Authorization is among them. */
  readonly headers: Headers | Record<string, string> | undefined;
  /** It waits for a token before it is sent. */
  readonly waits: boolean;
  /** A 401 is answered by one refresh and one resend. */
  readonly heals: boolean;
  /** It cannot be sent again. */
  readonly once: boolean;
  /** What aborts it. */
  readonly signal: AbortSignal | null | undefined;
}

/** A token or none; where cookies stand for it, whether they go along. @internal */
export type Credential = string | boolean | undefined;

/**
 * Reads a call; undefined when it passes untouched, because it goes elsewhere or brings an
 * Authorization of its own.
 *
 * @internal
 */
export function prepare(
  input: FetchInput,
  init: RequestInit | undefined,
  allow: (address: string, base?: string) => boolean,
): ReplayableRequest | undefined {
  const base = pageBase();
  let request = isRequest(input) ? input : undefined;
  // A template refuses what fetch refuses.
  const address = `${request ? platformField(request, "url") : (input as string)}`;
  if (!allow(address, base)) return undefined;

  let fields: RequestInit | undefined;
  if (isRequest(init)) {
    // Its fields are inherited: copying them would lose some.
    request = new Request(request ?? address, init);
  } else if (init) {
    fields = readFields(init);
    // As for the platform, one without a field is none: any other resets the Request's referrer.
    if (request && Object.values(fields).every((it) => it === undefined)) fields = undefined;
  }
  const field = <K extends "headers" | "signal" | "keepalive">(name: K): RequestInit[K] | undefined =>
    // With null a caller takes the signal of a Request away.
    fields?.[name] !== undefined ? fields[name] : request && platformField(request, name);
  const given = field("headers");
  const headers = given && readHeaders(given);
  if (headers === null) return undefined;
  let once = false;
  if (fields?.body != null && typeof fields.body !== "string") {
    fields.body = keep(fields.body)!;
    once = isStream(fields.body);
  }
  const hints = fields?.everfresh && own(own(fields).everfresh);
  const waits = !field("keepalive") && hints?.wait !== false;
  const heals = hints?.refresh !== false;
  return { address, base, request, fields, headers, waits, heals, once, signal: field("signal") };
}

/**
 * Sends a request, each time the same bytes.
 *
 * @param later - time has passed since it was read: the page's base may be another
 * @internal
 */
export function send(
  { address, base, request, fields, headers }: ReplayableRequest,
  transport: typeof fetch,
  credential: Credential,
  later: boolean,
): Promise<Response> {
  const isCookie = typeof credential === "boolean";
  if (request && !fields && !isCookie) {
    // An init would reset the referrer of a Request that comes without one.
    const copy = copyOf(request);
    return transport(credential === undefined ? copy : authorize(copy, `Bearer ${credential}`));
  }
  const init = { ...fields, headers: withToken(headers, credential) } as RequestInit;
  if (isCookie) {
    if (credential) init.credentials ??= "include";
    else init.credentials = "omit";
    if (request) {
      init.referrer ??= platformField(request, "referrer");
      init.referrerPolicy ??= platformField(request, "referrerPolicy");
    }
  } else if (credential && init.mode === "no-cors") {
    // It could carry no token.
    init.mode = "cors";
  }
  if (request) return transport(fields?.body == null ? copyOf(request) : request, init);
  const resolve = later && !/^https?:\/\//i.test(address);
  return transport(resolve ? new URL(address, base).href : address, init);
}

/** It will not be sent again. @internal */
export function release({ request, fields }: ReplayableRequest): void {
  if (!request || fields?.body != null) return;
  platformField(request, "body")?.cancel().catch(() => {});
}

const isRequest = (value: unknown): value is Request =>
  typeof value === "object" && value !== null && "clone" in value;

/** Whether fetch sees a Request in it; else it is one of another class. */
function isPlatformRequest(request: Request): boolean {
  try {
    return Reflect.get(Request.prototype, "url", request) !== undefined;
  } catch {
    return false;
  }
}

/** A field of a Request as fetch sees it, whatever a subclass says. */
const platformField = <K extends keyof Request>(request: Request, name: K): Request[K] =>
  isPlatformRequest(request) ? Reflect.get(Request.prototype, name, request) : request[name];

/** What is used up when it is sent, in place of the Request itself. */
const copyOf = (request: Request): Request => platformField(request, "clone").call(request);

/** The fields of an init, each read once; with headers, since V8 adds to a copy slowly. */
function readFields(init: RequestInit): RequestInit {
  if (Object.getPrototypeOf(init) === Object.prototype) {
    return "headers" in init ? { ...init } : { headers: undefined!, ...init };
  }
  // Inherited fields count, as they do for the platform.
  const fields: Record<string, unknown> = { headers: init.headers };
  for (let from: object = init; from; from = Object.getPrototypeOf(from)) {
    if (from === Object.prototype) break;
    for (const name of Object.getOwnPropertyNames(from)) {
      if (!(name in fields)) fields[name] = init[name as keyof RequestInit];
    }
  }
  return fields;
}

/** Headers, each read once; null when there is an Authorization among them. */
function readHeaders(given: HeadersInit): Headers | Record<string, string> | null {
  const prototype = Object.getPrototypeOf(given);
  if ((prototype === Object.prototype || !prototype) && !(Symbol.iterator in given)) {
    const headers = { ...(given as Record<string, string>) };
    let texts = true;
    for (const name in headers) {
      if (name.length === 13 && name.toLowerCase() === "authorization") return null;
      texts &&= typeof headers[name] === "string";
    }
    if (texts) return headers;
    given = headers;
  }
  const headers = new Headers(given);
  return headers.has("Authorization") ? null : headers;
}

/** Plain headers hold texts only. */
const isHeaders = (headers: Headers | Record<string, string>): headers is Headers =>
  typeof headers["set"] === "function";

/** Headers to send; those that were sent before stay as they are. */
function withToken(
  headers: Headers | Record<string, string> | undefined,
  credential: Credential,
): HeadersInit | undefined {
  if (typeof credential !== "string") return headers;
  const value = `Bearer ${credential}`;
  if (!headers) return { Authorization: value };
  if (!isHeaders(headers)) return { Authorization: value, ...headers };
  const copy = new Headers(headers);
  copy.set("Authorization", value);
  return copy;
}

function authorize(request: Request, value: string): Request {
  const authorized = ({ headers }: Request) => {
    try {
      headers.set("Authorization", value);
    } catch {
      // The headers of a service worker's request, and of its clones, cannot be changed ...
    }
    return headers.has("Authorization");
  };
  if (authorized(request)) return request;
  const copy = new Request(request);
  if (authorized(copy)) return copy;
  // ... and those of an image's take no such header.
  const { referrer, referrerPolicy } = copy;
  const other = new Request(copy, { mode: "cors", referrer, referrerPolicy });
  authorized(other);
  return other;
}

const isStream = (body: unknown): boolean =>
  "getReader" in Object(body) || Symbol.asyncIterator in Object(body);

/** The body in a form that the caller cannot change between two sends. */
function keep(body: BodyInit | null | undefined): BodyInit | null | undefined {
  // By tag, since objects of other realms are bodies too.
  const tag = Object.prototype.toString.call(body);
  if (ArrayBuffer.isView(body) || tag === "[object ArrayBuffer]") {
    return new Blob([body as BufferSource as ArrayBuffer]);
  }
  if (tag === "[object URLSearchParams]") return new URLSearchParams(body as URLSearchParams);
  return tag === "[object FormData]" ? multipart(body as FormData) : body;
}

/**
 * A form as the platform would encode it, but once: it draws another boundary for each request.
 * Files are referred to, not read.
 */
function multipart(form: FormData): Blob {
  const boundary = `everfresh-${crypto.getRandomValues(new Uint32Array(4)).join("")}`;
  const lines = (text: string) => text.replace(/\r\n?|\n/g, "\r\n");
  const quote = (text: string) => `"${text.replace(/["\r\n]/g, encodeURIComponent)}"`;
  const parts: BlobPart[] = [];
  form.forEach((value, name) => {
    parts.push(`--${boundary}\r\nContent-Disposition: form-data; name=${quote(lines(name))}`);
    if (typeof value === "string") {
      parts.push(`\r\n\r\n${lines(value)}\r\n`);
    } else {
      const type = value.type || "application/octet-stream";
      parts.push(`; filename=${quote(value.name)}\r\nContent-Type: ${type}\r\n\r\n`, value, "\r\n");
    }
  });
  parts.push(`--${boundary}--\r\n`);
  return new Blob(parts, { type: `multipart/form-data; boundary=${boundary}` });
}
