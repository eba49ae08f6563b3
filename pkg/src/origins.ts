// Which requests may carry the token.

/** What may be passed to `fetch` as its first argument. */
export type FetchInput = string | URL | Request;

/** The origins that get the token, compared as the URL parser sees them. */
export class Origins {
  readonly #given: ReadonlySet<string> | undefined;
  readonly #warn: (message: string) => void;
  readonly #known = new Map<string, boolean>();
  #base: string | undefined;
  #warned = false;

  /** Without `given` the page's own origin is the only one. */
  constructor(given: ReadonlySet<string> | undefined, warn: (message: string) => void) {
    this.#given = given;
    this.#warn = warn;
  }

  /** Whether a request to this address may carry the token. */
  allow(input: FetchInput): boolean {
    const url = typeof input === "string" ? input : ((input as Request).url ?? String(input));
    const base = globalThis.document?.baseURI ?? globalThis.location?.href;
    if (base !== this.#base || this.#known.size > 500) {
      this.#known.clear();
      this.#base = base;
    }
    let allowed = this.#known.get(url);
    if (allowed === undefined) {
      allowed = this.#judge(url, base);
      this.#known.set(url, allowed);
    }
    return allowed;
  }

  #judge(address: string, base: string | undefined): boolean {
    let url: URL;
    try {
      url = new URL(address, base);
    } catch {
      return false; // fetch says what is wrong with it
    }
    // A blob URL has the origin of its maker.
    if (!/^https?:$/.test(url.protocol) || url.username || url.password) return false;
    if (this.#given) return this.#given.has(url.origin);
    const own = globalThis.location?.origin;
    if ((!own || own === "null") && !this.#warned) {
      this.#warned = true;
      this.#warn("there is no page whose origin could get the token: pass the option origins");
    }
    return url.origin === own;
  }
}
