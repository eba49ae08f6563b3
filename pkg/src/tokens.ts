// What `start` accepts and refresh functions give, in the types that the engine takes.

import { own } from "./own.ts";

/** A token response as it was given: the engine judges it. @internal */
export type TokenFields = Readonly<Record<string, unknown>>;

/**
 * Takes a token or a token response. Each field is read once; what is no plain value becomes an array,
 * which no field can be.
 *
 * @internal
 */
export function readTokens(raw: unknown): TokenFields {
  const fields: TokenFields = own(typeof raw === "string" ? { accessToken: raw } : Object(raw));
  const plain = ([name, value]: [string, unknown]) => [name, Object(value) === value ? [] : value];
  return Object.fromEntries(Object.entries(fields).map(plain)) as TokenFields;
}
