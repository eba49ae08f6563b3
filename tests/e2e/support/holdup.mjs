// Refreshes that are held up on their way.

import { poll } from "./waiting.mjs";

/**
 * Begins a refresh and waits until it is held up at the server: by `hang` before it gets into the
 * books, by `delay-after-commit` when it is in them and its answer is to come, `delay` milliseconds
 * late. Returns what counts from before.
 */
export async function holdUp(server, holder, kind, delay) {
  await server.fault("POST /oauth/token", kind, { delay_ms: delay });
  const counted = await server.count();
  await holder.beginRefresh();
  await poll("the refresh at the server", async () => {
    const { requests, refreshes } = await counted();
    const { T5 = 0, T6 = 0 } = refreshes;
    return kind === "hang" ? requests["POST /oauth/token"] : T5 + T6;
  });
  return counted;
}
