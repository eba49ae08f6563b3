// Tokens for tests. Their signature is a word: nothing verifies them.

import { decodeTextBase64Url, encodeTextBase64Url } from "../service/base64.ts";
import type { Signer } from "../service/token-service.ts";

const encode = (value: object): string => encodeTextBase64Url(JSON.stringify(value));

const HEADER = encode({ alg: "none", typ: "JWT" });
let opaqueTokens = 0;

/**
 * Makes a JWT that is not signed.
 *
 * @param claims - beside `sub: "ana"`, `iat` and `exp`
 * @param options - `ttl`: its life in seconds [300]; `opaque`: no JWT; `now`: epoch milliseconds
 * @example session.start(token({ role: "admin" }, { ttl: 60 }));
 */
export function token(
  claims: object = {},
  options: { readonly ttl?: number; readonly opaque?: boolean; readonly now?: number } = {},
): string {
  const { ttl = 300, opaque = false, now = Date.now() } = options;
  if (opaque) return `opaque-${(opaqueTokens += 1)}`;
  const iat = Math.floor(now / 1_000);
  return tokenSigner.sign({ sub: "ana", iat, exp: iat + ttl, ...claims });
}

/** Signs by a word. @internal */
export const tokenSigner: Signer = {
  sign: (claims) => `${HEADER}.${encode(claims)}.c2lnbmF0dXJl`,
  verify(text) {
    const [header, claims = "", signature] = text.split(".");
    if (header !== HEADER || signature !== "c2lnbmF0dXJl") return undefined;
    return JSON.parse(decodeTextBase64Url(claims)) as Record<string, unknown>;
  },
  keys: [],
};
