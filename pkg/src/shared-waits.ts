// Callers that wait for the same thing share one waiter of the engine.

import { reasonOf } from "./aborted.ts";
import type { Engine, Lease, Want } from "./engine.ts";

/** Waits for a lease, or for nothing. @internal */
export type Ask = (
  want: Want,
  value: number,
  signal: AbortSignal | null | undefined,
) => Promise<Lease | undefined>;

interface Wait {
  readonly value: number;
  readonly since: number;
  readonly answer: Promise<Lease | undefined>;
  readonly abandon: AbortController;
  /** Callers that have not given up; no caller joins once there are none. */
  callers: number;
}

/** How many milliseconds apart callers may come: their bounds differ by as much. */
const SHARED = 1_000;

/** Shares what `ask` waits for; for one handle, since a handle's end rejects its waiters. @internal */
export function shareWaits(
  requests: Engine["requests"],
  ask: (want: Want, value: number, signal: AbortSignal) => Promise<Lease | undefined>,
): Ask {
  /** The newest of each kind. */
  const waits = new Map<Want, Wait>();

  const open = (want: Want, value: number, since: number): Wait => {
    const abandon = new AbortController();
    const answer = ask(want, value, abandon.signal);
    const wait = { value, since, answer, abandon, callers: 0 };
    waits.set(want, wait);
    const close = () => {
      if (waits.get(want) === wait) waits.delete(want);
    };
    answer.then(close, close);
    return wait;
  };

  return (want, value, signal) => {
    const now = Date.now();
    let wait = waits.get(want);
    if (wait?.value === value && wait.callers && Math.abs(now - wait.since) < SHARED) {
      if (want === "token") requests.waited += 1;
    } else {
      wait = open(want, value, now);
    }
    wait.callers += 1;
    return signal ? untilAborted(wait, signal) : wait.answer;
  };
}

/** A caller's signal ends that caller's wait alone; the wait itself ends with the last of them. */
function untilAborted(wait: Wait, signal: AbortSignal): Promise<Lease | undefined> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(reasonOf(signal));
      wait.callers -= 1;
      if (!wait.callers) wait.abandon.abort();
    };
    signal.addEventListener("abort", abort);
    const end = () => signal.removeEventListener("abort", abort);
    wait.answer.then(resolve, reject).then(end);
  });
}
