// What `start` accepts and token endpoints answer, in the types that the wasm expects.

/** The texts that `grant` takes, and its arguments. @internal */
export type TokenFields = readonly [
  texts: string[],
  expiresIn: number,
  refreshIn: number,
  sessionExpiresIn: number,
];

/**
 * Takes a token or a token response, with the names of the API or of RFC 6749 section 5.1. A text
 * of another type is empty, which is refused; what is no number is NaN.
 *
 * @internal
 */
export function readTokens(raw: unknown): TokenFields {
  const source: Record<string, unknown> =
    typeof raw === "string" ? { accessToken: raw } : ((raw ?? {}) as Record<string, unknown>);
  const field = (name: string): unknown =>
    source[name] ?? source[name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)];
  const text = (name: string): string => {
    const value = field(name);
    return typeof value === "string" ? value : "";
  };
  const seconds = (name: string): number => +((field(name) ?? NaN) as number);
  return [
    (field("refreshToken") == null ? ["accessToken"] : ["accessToken", "refreshToken"]).map(text),
    seconds("expiresIn"),
    seconds("refreshIn"),
    seconds("sessionExpiresIn"),
  ];
}
