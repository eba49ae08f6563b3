// The lock around a refresh.

/**
 * Asks for the lock. `done(ticket, true)` says that it is held until the returned controller is
 * aborted, `done(ticket, false)` that there are no locks here.
 */
export function requestLock(name, ticket, done) {
  const controller = new AbortController();
  const { signal } = controller;
  const hold = () =>
    new Promise((release) => {
      if (signal.aborted) return release();
      signal.addEventListener("abort", release);
      done(ticket, true);
    });
  const fail = () => signal.aborted || done(ticket, false);
  try {
    navigator.locks.request(name, { signal }, hold).catch(fail);
  } catch {
    fail();
  }
  return controller;
}
