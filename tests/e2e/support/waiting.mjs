// Waiting with a bound. Nothing here decides by the clock what is right, only when to give up.

import { setTimeout as sleep } from "node:timers/promises";

/** What was waited for did not come in time. */
export class GaveUp extends Error {
  constructor(what) {
    super(`gave up waiting: ${what}`);
  }
}

/** Looks again and again until there is something, and returns it. */
export async function poll(what, look, patience = PATIENCE) {
  const deadline = Date.now() + patience;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new GaveUp(what);
    await sleep(20);
  }
}

/** What the promise brings, unless it takes too long. */
export async function within(what, promise, patience = PATIENCE) {
  const giveUp = new AbortController();
  const late = sleep(patience, undefined, { signal: giveUp.signal }).then(() => {
    throw new GaveUp(what);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    giveUp.abort();
    late.catch(() => {});
  }
}

// Of a machine that is busy with other things as well.
const PATIENCE = 60_000;
