// Web Locks in memory, for test environments that have none.

/** As much of a lock manager as a session uses: one holder a name, waiters in order. @internal */
export class MemoryLocks {
  readonly #tails = new Map<string, Promise<unknown>>();

  /** Calls `act` when the lock is free, and holds it until that settles. */
  request(
    name: string,
    { signal }: { readonly signal?: AbortSignal | undefined },
    act: () => unknown,
  ): Promise<unknown> {
    const before = this.#tails.get(name) ?? Promise.resolve();
    const held = before.then(() => {
      if (signal?.aborted) throw signal.reason;
      return act();
    });
    this.#tails.set(name, held.catch(() => {}));
    return held;
  }
}

/**
 * Gives the environment Web Locks, where it has none: jsdom, happy-dom, Node.js before 24. For sessions
 * of your own that have a name, under fake timers. Without locks a refresh first waits up to half a
 * second for the keys of other tabs, and where time stands still it would wait for ever. Sessions of a
 * kit need no such thing.
 *
 * @returns takes them away again
 * @example
 * const remove = installLocks();
 * remove();
 */
export function installLocks(): () => void {
  const scope = globalThis as { navigator?: { locks?: unknown } };
  if (scope.navigator?.locks) return () => {};
  const owner = scope.navigator ? scope.navigator : scope;
  const locks = new MemoryLocks();
  const value = scope.navigator ? locks : { locks };
  const name = scope.navigator ? "locks" : "navigator";
  Object.defineProperty(owner, name, { value, configurable: true });
  return () => void Reflect.deleteProperty(owner, name);
}
