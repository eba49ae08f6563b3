// Which requests may carry the token.

/** What `fetch` takes first. @internal */
export type FetchInput = string | URL | Request;

/**
 * Says of addresses whether a request there may carry the token. Without `origins` the page's own is
 * the only one.
 *
 * @internal
 */
export function judge(
  origins: readonly (string | URL)[] | undefined,
  warn: (message: string) => void,
): (input: FetchInput) => boolean {
  const given = origins?.map((origin) => new URL(origin).origin);
  let warned = false;
  return (input) => {
    const address = typeof input === "string" ? input : ((input as Request).url ?? input);
    const { document, location } = globalThis;
    let url: URL;
    try {
      url = new URL(address, document?.baseURI ?? location?.href);
    } catch {
      return false; // fetch says what is wrong with it
    }
    const own = location?.origin;
    if (!given && (!own || own === "null") && !warned) {
      warned = true;
      warn("without a page no origin gets the token: pass the option origins");
    }
    // A blob URL has the origin of its maker.
    const { protocol, username, password, origin } = url;
    if (!/^https?:$/.test(protocol) || username || password) return false;
    return given ? given.includes(origin) : origin === own;
  };
}
