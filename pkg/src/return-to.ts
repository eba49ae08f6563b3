// Where a sign-in leads back to.

/**
 * The path, query and hash of an address of the page's own origin; `fallback` for everything else. For
 * what comes from a query parameter: an attacker cannot choose where the user ends up.
 *
 * @param value - a path, or an address as a whole
 * @example location.assign(safeReturnTo(new URLSearchParams(location.search).get("redirect"), "/"));
 */
export function safeReturnTo(value: unknown, fallback: string): string {
  const own = globalThis.location?.origin ?? "http://localhost";
  try {
    const { origin, pathname, search, hash } = new URL(value as string, own);
    // Two slashes would begin a host when it is resolved again.
    const safe = typeof value === "string" && value && origin === own && /^\/(?!\/)/.test(pathname);
    return safe ? pathname + search + hash : fallback;
  } catch {
    return fallback;
  }
}
