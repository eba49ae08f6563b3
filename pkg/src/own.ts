// What is read of objects from outside: what every object inherits may be any script's.

/** The own fields of an object, each read once. @internal */
export const own = <T extends object>(given: T | undefined): T => ({ __proto__: null, ...given }) as T;
