// Those who are told: subscribers of the snapshot and listeners to events.

import type { Logger } from "./options.ts";
import type { SessionEvents } from "./types.ts";

type Listener = (event: never) => void;

interface Observer {
  readonly owner: object;
  /** Undefined: it wants to know of new snapshots. */
  readonly type: string | undefined;
  readonly listener: Listener;
}

/** Event types that should be looked at. */
const WARNINGS = ["refresh-failed", "stale", "clock-skew", "storage-degraded", "revoke-failed"];

/** Tells observers in order, whatever they do meanwhile. */
export class Observers {
  readonly #observers = new Set<Observer>();
  readonly #events: { readonly type: string }[] = [];
  readonly #report: (error: unknown) => void;
  #changed = false;
  #telling = false;

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  /** Adds a listener, twice if it is added twice; returns what removes it. */
  add(owner: object, type: string | undefined, listener: Listener): () => void {
    const observer = { owner, type, listener };
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  /** Removes all listeners of one handle. */
  release(owner: object): void {
    for (const observer of this.#observers) {
      if (observer.owner === owner) this.#observers.delete(observer);
    }
  }

  /** There is a new snapshot to be told of. */
  changed(): void {
    this.#changed = true;
  }

  /** There is an event to be told of. */
  emit(
    type: string,
    reason: string | null,
    time: number | null,
    error: unknown,
    log: (level: keyof Logger, message: string, details?: unknown) => void,
  ): void {
    const event: Record<string, unknown> & { type: string } = { type, at: Date.now() };
    if (reason !== null || type === "refreshed") event["reason"] = reason;
    if (type === "warning") event["endsAt"] = time;
    else if (type === "clock-skew") event["skew"] = time;
    else if (type === "revoke-failed") event["retryAt"] = time;
    else if (type === "refresh-failed") {
      event["retryAt"] = time;
      event["error"] = error;
    }
    Object.freeze(event);
    log(WARNINGS.includes(type) ? "warn" : "info", type, event);
    this.#events.push(event);
  }

  /** Tells everything there is to tell, or leaves it to the loop that runs. */
  tell(): void {
    if (this.#telling) return;
    this.#telling = true;
    for (;;) {
      if (this.#changed) {
        this.#changed = false;
        this.#call(undefined, undefined);
      }
      const event = this.#events.shift() as SessionEvents[keyof SessionEvents] | undefined;
      if (!event && !this.#changed) break;
      if (event) this.#call(event.type, event);
    }
    this.#telling = false;
  }

  #call(type: string | undefined, event: unknown): void {
    for (const observer of [...this.#observers]) {
      // An earlier one may have removed it.
      if (observer.type !== type || !this.#observers.has(observer)) continue;
      try {
        observer.listener(event as never);
      } catch (error) {
        this.#report(error);
      }
    }
  }
}
