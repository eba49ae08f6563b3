// Rows of decoding: the claims of a JWT, without verifying it.

import { decodeJwt } from "../../pkg/dist/inline.js";
import { jwtDecode } from "../peers/wrappers.mjs";
import { jwtOf } from "./tokens.mjs";

/** As it is written by hand with a platform's own means, and right for text beyond ASCII. */
function byHand(token) {
  const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
  const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** `[name, call]` for a token of about so many bytes. */
export function decodeCalls(bytes) {
  const token = jwtOf(bytes);
  return [
    ["atob + TextDecoder, by hand", () => byHand(token)],
    ["everfresh decodeJwt", () => decodeJwt(token)],
    ["jwt-decode", () => jwtDecode(token)],
  ];
}
