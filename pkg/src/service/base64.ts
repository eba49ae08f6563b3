// base64url without padding, as RFC 7515 appendix C writes it.

/** Bytes as text. */
export const encodeBase64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

/** Text as bytes; undefined for what is none. */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** Text as base64url of its UTF-8. Without the platform's coders, which jsdom in Jest lacks. */
export const encodeTextBase64Url = (text: string): string =>
  encodeBase64Url(Uint8Array.from(utf8(text), (character) => character.charCodeAt(0)));

/** The text that `encodeTextBase64Url` was given. */
export function decodeTextBase64Url(text: string): string {
  const bytes = [...(decodeBase64Url(text) ?? [])];
  return decodeURIComponent(bytes.map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""));
}

/** How many bytes a text has in UTF-8. */
export const utf8Length = (text: string): number => utf8(text).length;

/** UTF-8 with a character for each byte. Half a character is replaced, as the platform does. */
const utf8 = (text: string): string =>
  encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\uFFFD")).replace(/%(..)/g, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
