// User input, and the life of the page.

export const VISIBLE = 0;
export const RESUMED = 1;
export const LEAVING = 2;
export const ONLINE = 3;
export const OFFLINE = 4;
export const ACTIVITY = 5;
export const STORAGE = 6;

/** Listens until the returned controller is aborted; `tell` hears one of the kinds above. */
export function watch(activityEvents, key, tell) {
  const controller = new AbortController();
  // Captured, because most of these events neither bubble nor share a target.
  const options = { capture: true, passive: true, signal: controller.signal };
  const on = (type, listener) => globalThis.addEventListener?.(type, listener, options);
  const report = (kind) => () => tell(kind);

  on("visibilitychange", () => {
    if (document.visibilityState === "visible") tell(VISIBLE);
  });
  on("focus", ({ target }) => {
    if (target === globalThis) tell(RESUMED);
  });
  on("pageshow", ({ persisted }) => {
    if (persisted) tell(RESUMED);
  });
  on("resume", report(RESUMED));
  on("pagehide", report(LEAVING));
  on("freeze", report(LEAVING));
  on("online", report(ONLINE));
  on("offline", report(OFFLINE));
  on("storage", (event) => {
    // No key: all of it was cleared.
    if (event.key === key || event.key === null) tell(STORAGE);
  });

  let last = -1_000;
  const active = () => {
    const now = performance.now();
    if (now - last < 1_000) return;
    last = now;
    tell(ACTIVITY);
  };
  for (const type of activityEvents) on(type, active);
  return controller;
}
