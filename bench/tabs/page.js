// One tab: what the driver calls.

import { join, request, signIn } from "contender";

const { counts, startsUp } = globalThis.bench;

Object.assign(globalThis.bench, {
  signIn: async () => void (await signIn()),
  join: async () => void (await join()),
  /** Sends a request each `pause` seconds until then; tells how they went. */
  async work(until, pause) {
    const done = { requests: 0, failed: 0, last: 0 };
    while (Date.now() < until * 1_000) {
      await new Promise((resolve) => setTimeout(resolve, pause * 1_000 * (0.5 + Math.random())));
      done.requests += 1;
      done.last = await request("/api").catch(() => 0);
      if (done.last !== 200) done.failed += 1;
    }
    return { ...done, ...counts };
  },
});

// At once, as an application does: nothing waits for the driver.
if (startsUp) globalThis.bench.started = startUp();

/** Milliseconds from the page's start to the first authorised response. */
async function startUp() {
  await (sessionStorage.visited ? join() : signIn());
  sessionStorage.visited = "yes";
  const status = await request("/api");
  return { answered: performance.now(), status };
}
