// A request that can be sent twice and differs in its Authorization only.

import type { FetchInput } from "./origins.ts";

/** One call of `fetch`, ready to be sent. */
export interface Call {
  /** It cannot be sent again. */
  readonly once: boolean;
  /** What aborts it. */
  readonly signal: AbortSignal | undefined;
  /** Sends it, each time the same bytes. */
  send(transport: typeof fetch, token: string): Promise<Response>;
  /** It will not be sent again. */
  release(): void;
}

/** Prepares a call; undefined when it brings an Authorization of its own. */
export function prepare(input: FetchInput, init: RequestInit | undefined): Call | undefined {
  if (isRequest(init)) {
    // Its fields are inherited: spreading it would lose them.
    input = new Request(input, init);
    init = undefined;
  }
  const request = isRequest(input) ? input : undefined;
  const headers = new Headers(init?.headers ?? request?.headers);
  if (headers.has("Authorization")) return undefined;

  const address = request ?? String(input);
  // Inherited fields count, as they do for the platform.
  const fields: RequestInit = {};
  for (const name in init) Object.assign(fields, { [name]: init[name as keyof RequestInit] });
  // A Request whose own body is sent is used up each time.
  const copied = init?.body == null ? request : undefined;
  const body = keep(init?.body);
  return {
    once: isStream(body),
    signal: init?.signal ?? request?.signal,
    send(transport, token) {
      const value = `Bearer ${token}`;
      const target = copied?.clone() ?? address;
      // An init would reset the referrer of a Request that comes without one.
      if (!init && copied) return transport(authorize(target as Request, value));
      headers.set("Authorization", value);
      return transport(target, { ...fields, headers, body } as RequestInit);
    },
    release() {
      copied?.body?.cancel().catch(() => {});
    },
  };
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

const isRequest = (value: unknown): value is Request => "clone" in Object(value);

const isStream = (body: unknown): boolean =>
  "getReader" in Object(body) || Symbol.asyncIterator in Object(body);

/** The body in a form that nobody can change between two sends. */
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
