// What the wasm says: piece by piece, and whoever called it takes that as soon as the call returns.

/** One piece: null says that there is nothing. @internal */
export type Piece = string | number | null | undefined;

/** Filled by the wasm. @internal */
export const said: Piece[] = [];

/** All that was said since the last time. @internal */
export const heard = <T extends readonly Piece[]>(): T =>
  said.splice(0).map((piece) => piece ?? null) as unknown as T;
