// Those who are told: subscribers of the snapshot and listeners to events.

import { InvalidOptionError, type SessionError } from "./errors.ts";
import { errorOf } from "./failures.ts";
import type { Logger } from "./options.ts";
import type { Snapshot } from "./types.ts";

interface Observer {
  readonly owner: object;
  /** Undefined: it wants to know of new snapshots. */
  readonly type: string | undefined;
  readonly listener: (event: never) => void;
}

/** Who is told of what. @internal */
export interface Observers {
  /**
   * Adds a listener to events of a type, or to snapshots, twice if it is added twice.
   *
   * @returns what removes it
   * @throws `ERR_INVALID_OPTION` for a type that there is not
   */
  add(
    owner: object,
    type: string | undefined,
    listener: (event: never) => void,
  ): () => void;
  /** Removes all listeners of one handle. */
  release(owner: object): void;
  /** There is an event to be told of. */
  emit(
    number: number,
    reason?: string | null,
    time?: number | null,
    failure?: number,
  ): void;
  /** Tells everything there is to tell, or leaves it to the loop that runs. */
  tell(snapshot: Snapshot): void;
}

/** As src/core/event.rs counts. */
const TYPES = [
  "started",
  "refreshed",
  "refresh-failed",
  "stale",
  "warning",
  "extended",
  "signed-out",
  "claims-changed",
  "subject-changed",
  "clock-skew",
  "storage-degraded",
  "revoke-failed",
];

/** What events call their time. They are warnings, as are two that have none. */
const TIMES: Readonly<Record<string, string | undefined>> = {
  warning: "endsAt",
  "clock-skew": "skew",
  "revoke-failed": "retryAt",
  "refresh-failed": "retryAt",
};

/** Nobody is told of anything yet, and `newest` is news to nobody. @internal */
export function openObservers(
  newest: Snapshot,
  log: (level: keyof Logger, message: string, details: unknown) => void,
  blame: (failure?: number) => SessionError | undefined,
): Observers {
  const observers = new Set<Observer>();
  const events: { readonly type: string }[] = [];
  let told = newest;
  let telling = false;

  return {
    add(owner, type, listener) {
      if (type !== undefined && !TYPES.includes(type)) {
        const known = `pass one of "${TYPES.join('", "')}"`;
        throw new InvalidOptionError(`there is no event "${String(type)}": ${known}`);
      }
      const observer = { owner, type, listener };
      observers.add(observer);
      return () => void observers.delete(observer);
    },

    release(owner) {
      for (const observer of observers) if (observer.owner === owner) observers.delete(observer);
    },

    emit(number, reason = null, time = null, failure) {
      const type = TYPES[number]!;
      const event: Record<string, unknown> & { type: string } = { type, at: Date.now() };
      if (reason !== null || type === "refreshed") event["reason"] = reason;
      const at = TIMES[type];
      if (at) event[at] = time;
      const error = blame(failure);
      if (error) event["error"] = error;
      events.push(Object.freeze(event));
      // The cause is the application's own and may hold a token: it is not for logs.
      const told = error ? { ...event, error: errorOf(failure) } : event;
      log(at || /stale|degraded/.test(type) ? "warn" : "info", type, told);
    },

    tell(snapshot) {
      newest = snapshot;
      if (telling) return;
      telling = true;
      for (;;) {
        const event = told === newest ? events.shift() : undefined;
        if (told === newest && !event) break;
        told = newest;
        for (const observer of [...observers]) {
          // An earlier one may have removed it.
          if (observer.type !== event?.type || !observers.has(observer)) continue;
          try {
            observer.listener(event as never);
          } catch (error) {
            log("error", "a listener threw", error);
            globalThis.reportError?.(error);
          }
        }
      }
      telling = false;
    },
  };
}
