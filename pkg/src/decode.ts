// Reads a JWT without trusting it.

import { decode } from "../wasm/everfresh.js";

import { InvalidTokenError, WasmLoadError } from "./errors.ts";
import { heard, say } from "./host.ts";
import { ready } from "./loading.ts";
import type { Claims } from "./types.ts";

/**
 * Decodes the claims of a JWT. **It does not verify anything**: whoever sent the token may have
 * made it up. Use it for what is shown, never for what is allowed.
 *
 * @throws `ERR_INVALID_TOKEN` for what RFC 7519 does not allow; `ERR_WASM_LOAD` before the wasm is
 * loaded: `await init()` first, or use the entry `everfresh/inline`
 */
export function decodeJwt(token: string): Claims {
  if (!ready()) {
    throw new WasmLoadError(
      "decodeJwt() was called before the wasm was loaded: await init() first, or import from " +
        "everfresh/inline",
    );
  }
  if (typeof token !== "string") throw new InvalidTokenError("a JWT is a string");
  say(token);
  const valid = decode();
  const [first, message] = heard<[string, string]>();
  if (valid) return parseClaims(first);
  throw new InvalidTokenError(`${message}: pass the token as the server sent it`);
}

/** The claims of a payload, frozen deeply. @internal */
export function parseClaims(payload: string): Claims {
  return JSON.parse(payload, (_key, value) => Object.freeze(value));
}
