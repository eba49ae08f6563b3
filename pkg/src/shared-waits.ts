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
  /** Not yet answered: what comes now may be asked for another user. */
  readonly isOpen: () => boolean;
  readonly abandon: AbortController;
  /** Callers that have not given up; no caller joins once there are none. */
  callers: number;
}

/** How many milliseconds apart callers may come: their bounds differ by as much. */
const SHARED = 1_000;

/** Shares what callers of the session wait for; for one handle, since a handle's end rejects its waiters. @internal */
export function shareWaits(session: Engine, owner: object): Ask {
  /** The newest of each kind. */
  const waits = new Map<Want, Wait>();

  return (want, value, signal) => {
    const now = Date.now();
    let wait = waits.get(want);
    const joins =
      wait?.value === value && wait.callers && wait.isOpen() && Math.abs(now - wait.since) < SHARED;
    if (!wait || !joins) {
      const abandon = new AbortController();
      const [answer, isOpen] = session.wait(owner, want, value, abandon.signal);
      wait = { value, since: now, answer, isOpen, abandon, callers: 0 };
      waits.set(want, wait);
    }
    if (want === "token" && wait.isOpen()) session.requests.waited += 1;
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
