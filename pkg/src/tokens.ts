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
  const source = (typeof raw === "string" ? { accessToken: raw } : Object(raw)) as Fields;
  const [access, refresh, ...seconds] = NAMES.map(
    (name) => source[name] ?? source[name.replace(/[A-Z]/g, "_$&").toLowerCase()],
  );
  return [
    (refresh == null ? [access] : [access, refresh]).map(textOf),
    ...(seconds.map(String).map(parseFloat) as [number, number, number]),
  ];
}

type Fields = Readonly<Record<string, unknown>>;

const NAMES = ["accessToken", "refreshToken", "expiresIn", "refreshIn", "sessionExpiresIn"];

/** A text; what is none is empty. @internal */
export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
