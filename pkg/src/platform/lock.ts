// The lock around a refresh.

/**
 * Asks for the lock. `done(true)` says that it is held until the returned controller is aborted,
 * `done(false)` that there are no locks here.
 *
 * @internal
 */
export function requestLock(name: string, done: (held: boolean) => void): AbortController {
  const controller = new AbortController();
  const { signal } = controller;
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
  return controller;
}
