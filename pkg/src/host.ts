// What the wasm hears and says: piece by piece, texts before the call that takes them, and all that
// it says after the call that made it speak.

import { hear } from "../wasm/everfresh_bg.js";

/** One piece: null says that there is nothing; one that is not said is undefined. @internal */
export type Piece = string | number | null | undefined;

/** Reads what is UTF-8, and throws for what is not. @internal */
export const utf8: TextDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Filled by the wasm. @internal */
export const said: Piece[] = [];

/** All that was said since the last time. @internal */
export const heard = <T extends readonly Piece[]>(): T => said.splice(0) as unknown as T;

/** Says texts to the call that follows. @internal */
export const say = (...texts: string[]): void => texts.forEach(hear);
