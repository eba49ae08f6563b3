// What `start` accepts and refresh functions give, in the types that the engine takes.

/** The first arguments of the engine's `start`. @internal */
export type TokenFields = readonly [
  accessToken: string,
  refreshToken: string | undefined,
  expiresIn: number | undefined,
  refreshIn: number | undefined,
  sessionExpiresIn: number | undefined,
];

/**
 * Takes a token or a token response, with the names of the API or of RFC 6749 section 5.1. A text
 * of another type is empty, which is refused; what is no number is not there.
 *
 * @internal
 */
export function readTokens(raw: unknown): TokenFields {
  const source = (typeof raw === "string" ? { accessToken: raw } : Object(raw)) as Fields;
  const [access, refresh, ...times] = NAMES.map(
    (name) => source[name] ?? source[name.replace(/[A-Z]/g, "_$&").toLowerCase()],
  );
  const [expiresIn, refreshIn, sessionExpiresIn] = times.map(secondsOf);
  return [
    textOf(access),
    refresh == null ? undefined : textOf(refresh),
    expiresIn,
    refreshIn,
    sessionExpiresIn,
  ];
}

type Fields = Readonly<Record<string, unknown>>;

const NAMES = ["accessToken", "refreshToken", "expiresIn", "refreshIn", "sessionExpiresIn"];

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

const secondsOf = (value: unknown): number | undefined => {
  const seconds = parseFloat(String(value));
  return Number.isNaN(seconds) ? undefined : seconds;
};
