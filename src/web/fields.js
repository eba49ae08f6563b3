// Reads objects by the names of their fields: one import for all of them.

/** A text, or undefined. */
export const text = (from, name) => from[name];
/** A number, NaN when there is none. */
export const number = (from, name) => from[name] ?? NaN;
/** Whatever it is. */
export const value = text;
