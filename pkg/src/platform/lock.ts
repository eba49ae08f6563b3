// The lock around a refresh.

/**
 * Asks for the lock. `done(true)` says that it is held until `signal` is aborted, `done(false)` that
 * there are no locks here.
 *
 * @internal
 */
export function requestLock(
  name: string,
  signal: AbortSignal,
  done: (held: boolean) => void,
): void {
  const hold = () =>
    new Promise<unknown>((release) => {
      if (signal.aborted) return release(undefined);
      signal.addEventListener("abort", release);
      done(true);
    });
  const fail = () => {
    if (!signal.aborted) done(false);
  };
  try {
    navigator.locks.request(name, { signal }, hold).catch(fail);
  } catch {
    fail();
  }
}
