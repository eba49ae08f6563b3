// The classes of fetch, and for test environments without them (jsdom in Jest) as much of them as
// sessions and most applications read.

/** A request, read. @internal */
export interface ReadRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}

/** Reads what was given to `fetch`; relative addresses count from `base`. @internal */
export async function readRequest(
  input: RequestInfo | URL,
  init: RequestInit | undefined,
  base: string,
): Promise<ReadRequest> {
  const { Request } = globalThis as { Request?: typeof globalThis.Request };
  if (Request) {
    const request = new Request(typeof input === "string" ? new URL(input, base) : input, init);
    const { method, url, headers } = request;
    return { method, url, headers, body: await request.text() };
  }
  const { method = "GET", headers, body } = init ?? {};
  return {
    method: method.toUpperCase(),
    url: new URL(String(input), base).href,
    headers: makeHeaders(headers as Record<string, string>),
    body: body == null ? "" : String(body),
  };
}

/** `new Headers`. @internal */
export function makeHeaders(init: Headers | Record<string, string> = {}): Headers {
  const { Headers } = globalThis as { Headers?: typeof globalThis.Headers };
  return Headers ? new Headers(init) : (new PlainHeaders(init) as unknown as Headers);
}

/** `new Response`. @internal */
export function makeResponse(
  body: string | null,
  init: { readonly status: number; readonly headers: Record<string, string> },
): Response {
  const { Response } = globalThis as { Response?: typeof globalThis.Response };
  if (Response) return new Response(body, init);
  return new PlainResponse(body ?? "", init.status, makeHeaders(init.headers)) as unknown as Response;
}

class PlainHeaders {
  readonly #fields = new Map<string, string>();

  constructor(init: Iterable<[string, string]> | Record<string, string>) {
    const entries = Symbol.iterator in init ? (init as Iterable<[string, string]>) : Object.entries(init);
    for (const [name, value] of entries) this.set(name, value);
  }

  get(name: string): string | null {
    return this.#fields.get(name.toLowerCase()) ?? null;
  }

  has(name: string): boolean {
    return this.#fields.has(name.toLowerCase());
  }

  set(name: string, value: string): void {
    this.#fields.set(name.toLowerCase(), String(value));
  }

  [Symbol.iterator](): Iterator<[string, string]> {
    return this.#fields[Symbol.iterator]();
  }
}

class PlainResponse {
  readonly body = null;
  readonly redirected = false;
  readonly url = "";
  readonly ok: boolean;
  readonly status: number;
  readonly headers: Headers;
  readonly #text: string;

  constructor(text: string, status: number, headers: Headers) {
    this.#text = text;
    this.status = status;
    this.headers = headers;
    this.ok = status >= 200 && status < 300;
  }

  async text(): Promise<string> {
    return this.#text;
  }

  async json(): Promise<unknown> {
    return JSON.parse(this.#text);
  }

  clone(): PlainResponse {
    return new PlainResponse(this.#text, this.status, this.headers);
  }
}
