// Signs access tokens with a public key that any service may verify with.

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";

import { decodeBase64Url, encodeBase64Url } from "../service/base64.ts";
import type { Signer } from "../service/token-service.ts";

const text = new TextEncoder();

/** A new private key, as a JWK. */
export function newKey(): object {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
}

/** ES256 with a private key. */
export function signerOf(jwk: object): Signer {
  const privateKey = createPrivateKey({ key: jwk, format: "jwk" });
  const publicKey = createPublicKey(privateKey);
  const { x, y } = publicKey.export({ format: "jwk" });
  const kid = String(x).slice(0, 8);
  const header = encodeBase64Url(text.encode(JSON.stringify({ alg: "ES256", typ: "JWT", kid })));
  const with1363 = (key: KeyObject) => ({ key, dsaEncoding: "ieee-p1363" as const });
  return {
    keys: [{ kty: "EC", crv: "P-256", use: "sig", alg: "ES256", kid, x, y }],
    sign(claims) {
      const body = `${header}.${encodeBase64Url(text.encode(JSON.stringify(claims)))}`;
      return `${body}.${encodeBase64Url(sign("sha256", text.encode(body), with1363(privateKey)))}`;
    },
    verify(token) {
      const [head = "", claims = "", signature = "", more] = token.split(".");
      const signed = text.encode(`${head}.${claims}`);
      const proof = decodeBase64Url(signature);
      if (more !== undefined || head !== header || !proof) return undefined;
      if (!verify("sha256", signed, with1363(publicKey), proof)) return undefined;
      return JSON.parse(new TextDecoder().decode(decodeBase64Url(claims))) as Record<string, unknown>;
    },
  };
}
