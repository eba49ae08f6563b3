// What `start` accepts and token endpoints answer, in the types that Rust expects.

/** Takes a token or a token response; the names of the API or of RFC 6749 section 5.1. */
export function readTokens(raw) {
  const source = typeof raw === "string" ? { accessToken: raw } : (raw ?? {});
  const text = (name, wire) => {
    const value = source[name] ?? source[wire] ?? undefined;
    return value === undefined || typeof value === "string" ? value : "";
  };
  const seconds = (name, wire) => {
    const value = source[name] ?? source[wire] ?? undefined;
    return value === undefined || Number.isNaN(+value) ? undefined : +value;
  };
  return {
    accessToken: text("accessToken", "access_token"),
    refreshToken: text("refreshToken", "refresh_token"),
    expiresIn: seconds("expiresIn", "expires_in"),
    refreshIn: seconds("refreshIn", "refresh_in"),
    sessionExpiresIn: seconds("sessionExpiresIn", "session_expires_in"),
  };
}
