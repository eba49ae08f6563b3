// User input, and the life of the page.

import { ACTIVITY, LEAVING, ONLINE, RECORD_CHANGED, RESUMED, VISIBLE } from "../inputs.ts";

/** Listens until the returned controller is aborted; `tell` hears inputs. @internal */
export function watch(
  activityEvents: readonly string[],
  key: string,
  tell: (kind: number, value?: number) => void,
): AbortController {
  const controller = new AbortController();
  // Captured, because most of these events neither bubble nor share a target.
  const options = { capture: true, passive: true, signal: controller.signal };
  const on = (type: string, listener: (event: never) => void) =>
    globalThis.addEventListener?.(type, listener as (event: Event) => void, options);

  // A page that stood still has missed whether the network went or came.
  const wake = (kind: number) => {
    tell(ONLINE, +(navigator.onLine !== false));
    tell(kind);
  };
  on("visibilitychange", () => {
    if (document.visibilityState === "visible") wake(VISIBLE);
  });
  on("focus", ({ target }: Event) => {
    if (target === globalThis) wake(RESUMED);
  });
  on("pageshow", ({ persisted }: PageTransitionEvent) => {
    if (persisted) wake(RESUMED);
  });
  on("resume", () => wake(RESUMED));
  on("pagehide", () => tell(LEAVING));
  on("freeze", () => tell(LEAVING));
  on("online", () => tell(ONLINE, 1));
  on("offline", () => tell(ONLINE));
  on("storage", (event: StorageEvent) => {
    // No key: all of it was cleared.
    if (event.key === key || event.key === null) tell(RECORD_CHANGED);
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
