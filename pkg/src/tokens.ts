// What `start` accepts and refresh functions give, in the types that the engine takes.

import { own } from "./own.ts";

/** A token response, as src/npm reads it. @internal */
export interface TokenFields {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly expiresIn: number | undefined;
  readonly refreshIn: number | undefined;
  readonly sessionExpiresIn: number | undefined;
}

/**
 * Takes a token or a token response, with the names of the API or of RFC 6749 section 5.1. A text
 * of another type is empty, which is refused; what is no number is not there.
 *
 * @internal
 */
export function readTokens(raw: unknown): TokenFields {
  const source: Fields = own(typeof raw === "string" ? { accessToken: raw } : Object(raw));
  const read = (name: keyof TokenFields) =>
    source[name] ?? source[name.replace(/[A-Z]/g, "_$&").toLowerCase()];
  const refreshToken = read("refreshToken");
  return {
    accessToken: textOf(read("accessToken")),
    refreshToken: refreshToken == null ? undefined : textOf(refreshToken),
    expiresIn: secondsOf(read("expiresIn")),
    refreshIn: secondsOf(read("refreshIn")),
    sessionExpiresIn: secondsOf(read("sessionExpiresIn")),
  };
}

type Fields = Readonly<Record<string, unknown>>;

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

const secondsOf = (value: unknown): number | undefined => {
  const seconds = parseFloat(String(value));
  return Number.isNaN(seconds) ? undefined : seconds;
};
