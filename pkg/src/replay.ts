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
  if (init && !isPlain(init)) {
    // Fields that are inherited, as when a Request is passed as init.
    input = new Request(input, init);
    init = undefined;
  }
  const request = isRequest(input) ? input : undefined;
  const headers = new Headers(init?.headers ?? request?.headers);
  if (headers.has("Authorization")) return undefined;
  const signal = init?.signal ?? request?.signal;
  if (request && !init) return new RequestCall(request);

  const kept = keep(init?.body, headers);
  const target = request ?? String(input);
  const copied = request !== undefined && init?.body == null;
  return {
    once: kept === STREAM,
    signal,
    send(transport, token) {
      headers.set("Authorization", `Bearer ${token}`);
      const fields: RequestInit = { ...init, headers };
      if (kept !== STREAM && kept !== undefined) fields.body = kept;
      return transport(copied ? request.clone() : target, fields);
    },
    release() {
      if (copied) discard(request);
    },
  };
}

/** A Request without init: init would reset its referrer. */
class RequestCall implements Call {
  readonly once = false;
  readonly #request: Request;

  constructor(request: Request) {
    this.#request = request;
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }

  send(transport: typeof fetch, token: string): Promise<Response> {
    const copy = this.#request.clone();
    copy.headers.set("Authorization", `Bearer ${token}`);
    return transport(copy);
  }

  release(): void {
    discard(this.#request);
  }
}

const STREAM = Symbol();

/** The body in a form that nobody can change or use up between two sends. */
function keep(
  body: BodyInit | null | undefined,
  headers: Headers,
): BodyInit | null | undefined | typeof STREAM {
  if (typeof body !== "object" || body === null) return body;
  if (ArrayBuffer.isView(body)) {
    return new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength).slice();
  }
  // By tag, since objects of other realms are bodies too.
  switch (Object.prototype.toString.call(body)) {
    case "[object ArrayBuffer]":
      return (body as ArrayBuffer).slice(0);
    case "[object URLSearchParams]":
      if (!headers.has("Content-Type")) {
        headers.set("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8");
      }
      return String(body);
    case "[object FormData]":
      return multipart(body as FormData);
  }
  return "getReader" in body || Symbol.asyncIterator in body ? STREAM : body;
}

/**
 * A form as the platform would encode it, but once: it draws another boundary for each request.
 * Files are referred to, not read.
 */
function multipart(form: FormData): Blob {
  const random = crypto.getRandomValues(new Uint8Array(16));
  const boundary = `everfresh-${Array.from(random, (byte) => byte.toString(36)).join("")}`;
  const lines = (text: string) => text.replace(/\r\n?|\n/g, "\r\n");
  const quote = (text: string) =>
    `"${text.replace(/\n/g, "%0A").replace(/\r/g, "%0D").replace(/"/g, "%22")}"`;
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

/** Lets go of a body that was kept for a second send. */
function discard(request: Request): void {
  if (!request.bodyUsed) request.body?.cancel().catch(() => {});
}

function isRequest(input: FetchInput): input is Request {
  return typeof input === "object" && "clone" in input;
}

function isPlain(init: object): boolean {
  const prototype = Object.getPrototypeOf(init);
  return prototype === Object.prototype || prototype === null;
}
