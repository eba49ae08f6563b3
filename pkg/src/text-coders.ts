// What codes text, for realms that have no such thing: jsdom's is one. The build puts these in the
// place of the globals.

/** @internal */
export const TextDecoder: new (label?: string) => { decode(bytes: Uint8Array): string } = globalThis.TextDecoder ?? class {
  decode(bytes: Uint8Array): string {
    const hex = Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, "0")}`);
    return decodeURIComponent(hex.join(""));
  }
};

/** @internal */
export const TextEncoder: new () => {
  encodeInto(text: string, into: Uint8Array): { read: number; written: number };
} = globalThis.TextEncoder ?? class {
  encodeInto(text: string, into: Uint8Array): { read: number; written: number } {
    // Half a character is replaced, as the platform does.
    const escaped = encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\uFFFD"));
    const bytes = escaped.match(/%..|./g) ?? [];
    into.set(bytes.map((it) => (it[1] ? parseInt(it.slice(1), 16) : it.charCodeAt(0))));
    return { read: text.length, written: bytes.length };
  }
};
