// Every call that the engine makes is caught where it is made. So whatever its exports throw, a trap
// or an exhausted stack, is a bug, after which nothing that it remembers can be relied on.

import { BugError, type SessionError } from "./errors.ts";

type Listener = (error: SessionError) => void;
type Export = (...values: unknown[]) => unknown;

const listeners = new Set<Listener>();
let bug: SessionError | undefined;
/** How many calls into the engine are under way, one within the other. */
let depth = 0;

/** Tells of the bug that ended the engine, if there comes one; returns what ends that. @internal */
export function onBug(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** @throws `ERR_BUG` once the engine has failed @internal */
export function checkBug(): void {
  if (bug) throw bug;
}

/**
 * Exports that fail at once after a bug.
 *
 * What the application calls throws `ERR_BUG`. What the platform calls, timers and listeners through
 * names that begin with an underscore, does nothing any more.
 *
 * @internal
 */
export function guarded(exports: WebAssembly.Exports): WebAssembly.Exports {
  const guard = ([name, value]: [string, unknown]) => [
    name,
    typeof value === "function" ? guardedCall(value as Export, name.startsWith("_")) : value,
  ];
  return Object.fromEntries(Object.entries(exports).map(guard));
}

function guardedCall(call: Export, quiet: boolean): Export {
  return (...values) => {
    const before = bug;
    let result: unknown;
    depth += 1;
    try {
      if (!bug) result = call(...values);
    } catch (cause) {
      bug ??= new BugError(
        "the session engine failed and cannot go on: reload the page, and report the cause",
        { cause },
      );
    }
    depth -= 1;
    if (!bug) return result;
    if (!before && depth === 0) for (const listener of listeners) listener(bug);
    // Below another call it ends that one too.
    if (depth > 0 || !quiet) throw bug;
    return undefined;
  };
}
