// Reads a JWT without trusting it.

import { decodeJwt as decode } from "../wasm/everfresh_bg.js";

import { WasmLoadError } from "./errors.ts";
import { freeze } from "./freeze.ts";
import { ready } from "./loading.ts";
import { toError } from "./to-error.ts";
import type { Claims } from "./types.ts";

/**
 * Decodes the claims of a JWT. **It does not verify anything**: the sender of the token may have
 * made it up. Use it for what is shown, never for what is allowed. Of a member that is there twice
 * the last one counts, as RFC 7519 section 4 allows.
 *
 * @throws `ERR_INVALID_TOKEN` for what RFC 7519 does not allow; `ERR_WASM_LOAD` before the engine is
 * loaded: `await init()` first, or use the entry `everfresh/inline`
 * @example const { sub, exp } = decodeJwt(await session.getAccessToken());
 */
export function decodeJwt(token: string): Claims {
  if (!ready()) {
    throw new WasmLoadError(
      "decodeJwt() was called before the wasm was loaded: await init() first, or import " +
        "everfresh/inline",
    );
  }
  try {
    return freeze(decode(String(token)) as Claims);
  } catch (failure) {
    throw toError(failure);
  }
}
