// Which requests may carry the token.

/** What `fetch` takes first. @internal */
export type FetchInput = string | URL | Request;

/** What relative addresses are resolved against now; a page can change it. @internal */
export const pageBase = (): string | undefined =>
  globalThis.document?.baseURI ?? globalThis.location?.href;

/** The page's own origin. A frame that has no address, as of `srcdoc`, has that of its maker. @internal */
export const pageOrigin = (): string | undefined => {
  const origin = globalThis.location?.origin;
  return origin === "null" ? globalThis.origin : origin;
};

/**
 * Says of addresses whether a request there may carry the token. Without `origins` the page's own is
 * the only one.
 *
 * @internal
 */
export function originPolicy(
  origins: readonly string[] | undefined,
  warn: (message: string) => void,
): (address: string, base?: string) => boolean {
  let warned = false;
  /** The allowed origin that was seen last. */
  let known: string | undefined;
  /** The base that was seen last, and whether paths there are allowed. */
  let lastBase: string | undefined;
  let pathsAllowed = false;

  const parse = (address: string, base: string | undefined) => {
    let url: URL;
    try {
      url = new URL(address, base);
    } catch {
      return false; // fetch says what is wrong with it
    }
    const own = pageOrigin();
    if (!origins && (!own || own === "null") && !warned) {
      warned = true;
      warn("without a page no origin gets the token: pass the option origins");
    }
    // A blob URL has the origin of its maker.
    const { protocol, username, password, origin } = url;
    if (!/^https?:$/.test(protocol) || username || password) return false;
    if (!(origins ? origins.includes(origin) : origin === own)) return false;
    known = origin;
    return true;
  };

  return (address, base) => {
    if (isPath(address)) {
      if (base !== lastBase) {
        lastBase = base;
        pathsAllowed = parse("/", base);
      }
      return pathsAllowed;
    }
    return (known !== undefined && isWithin(known, address)) || parse(address, base);
  };
}

const [SPACE, HASH, SLASH, QUESTION_MARK, BACKSLASH] = [0x20, 0x23, 0x2f, 0x3f, 0x5c];

/**
 * Whether it is certainly a path on the base's host. Two slashes begin a host, backslashes count as
 * slashes, and tabs and line breaks are dropped before that is looked at.
 */
function isPath(address: string): boolean {
  if (address.charCodeAt(0) !== SLASH) return false;
  const second = address.charCodeAt(1);
  return !(second <= SPACE || second === SLASH || second === BACKSLASH);
}

/** Whether an address begins with this origin, and its host certainly ends there. */
function isWithin(origin: string, address: string): boolean {
  if (address.indexOf(origin) !== 0) return false;
  const next = address.charCodeAt(origin.length);
  return next === SLASH || next === QUESTION_MARK || next === HASH || address === origin;
}
