// Freezes what a token says, to any depth.

/** Freezes a parsed JSON value and all that is in it; in a loop, because tokens come from outside. @internal */
export function freeze<T>(value: T): T {
  const open: unknown[] = [value];
  for (let next; open.length > 0; ) {
    next = open.pop();
    if (Object(next) !== next || Object.isFrozen(next)) continue;
    Object.freeze(next);
    open.push(...Object.values(next as object));
  }
  return value;
}
