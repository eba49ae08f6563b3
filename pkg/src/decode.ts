// Reads a JWT without trusting it.

import { WasmLoadError } from "./errors.ts";
import { errorOf } from "./failures.ts";
import { utf8 } from "./host.ts";
import { ready } from "./loading.ts";
import type { Claims } from "./types.ts";

/** Longer tokens are refused before any work is done on them. */
const LONGEST = 1 << 20;

const VOLATILE: readonly string[] = ["exp", "iat", "nbf", "jti"];

/**
 * What a token says of itself, in numbers as the wasm takes them: NaN for what it does not say.
 * `flaw` is 0 for a JWT.
 *
 * @internal
 */
export type Reading = readonly [
  claims: Claims,
  flaw: number,
  fingerprint: number,
  exp: number,
  iat: number,
  nbf: number,
  sessionExpiry: number,
];

/**
 * Decodes the claims of a JWT. **It does not verify anything**: whoever sent the token may have
 * made it up. Use it for what is shown, never for what is allowed. Of a member that is there twice
 * the last one counts, as RFC 7519 section 4 allows.
 *
 * @throws `ERR_INVALID_TOKEN` for what RFC 7519 does not allow; `ERR_WASM_LOAD` before the wasm is
 * loaded: `await init()` first, or use the entry `everfresh/inline`
 */
export function decodeJwt(token: string): Claims {
  if (!ready()) {
    throw new WasmLoadError(
      "decodeJwt() was called before the wasm was loaded: await init() first, or import " +
        "everfresh/inline",
    );
  }
  const [claims, flaw] = readJwt(token);
  const error = errorOf(flaw);
  if (error) throw error;
  return claims;
}

/** Reads a token; the claims are frozen deeply. @internal */
export function readJwt(token: string): Reading {
  // The step that fails, as src/core/error.rs numbers them.
  let step = 1;
  try {
    if (token?.length > LONGEST) throw step;
    step += 1;
    const segments = token.split(".", 4);
    if (segments.length !== 3) throw step;
    step += 1;
    const [header, payload] = segments.map(bytesOf);
    step += 1;
    const texts = [header, payload].map((bytes) => utf8.decode(bytes));
    step += 1;
    const [, claims] = texts.map(objectOf);
    step += 1;
    const { exp = NaN, iat = NaN, nbf = NaN, session_expiry: end = NaN, sub = "" } = claims!;
    const times = [exp, iat, nbf, end as number] as const;
    const known = times.every((time) => Number.isFinite(time) || Number.isNaN(time));
    if (!known || typeof sub !== "string") throw step;
    return [claims!, 0, fingerprint(claims!), ...times];
  } catch {
    return [{}, step, 0, NaN, NaN, NaN, NaN];
  }
}

function bytesOf(segment: string): Uint8Array<ArrayBuffer> {
  const base64 = segment.replaceAll("-", "+").replaceAll("_", "/");
  const binary = atob(base64);
  if (!/^[\w-]*$/.test(segment) || !btoa(binary).startsWith(base64)) throw segment;
  return Uint8Array.from(binary, (byte) => byte.charCodeAt(0));
}

function objectOf(text: string): Claims {
  const value = JSON.parse(text, (_key, value) => Object.freeze(value));
  if (!(value instanceof Object) || Array.isArray(value)) throw text;
  return value;
}

/**
 * Changes when a claim does that tells something about the user. FNV-1a, summed so that the order
 * of the claims does not matter; 1 without such claims.
 */
function fingerprint(claims: Claims): number {
  let sum = 1;
  for (const claim of Object.entries(claims)) {
    if (VOLATILE.includes(claim[0])) continue;
    let hash = 0x811c9dc5;
    for (const unit of JSON.stringify(claim)) {
      hash = Math.imul(hash ^ unit.codePointAt(0)!, 0x01000193);
    }
    sum += hash >>> 0;
  }
  return sum;
}
