// Those who are told: subscribers of the snapshot and listeners to events. The engine says when.

import { InvalidOptionError } from "./errors.ts";
import type { Logger } from "./options.ts";

interface Observer {
  readonly owner: object;
  /** Undefined: it wants to know of new snapshots. */
  readonly type: string | undefined;
  readonly listener: (event: never) => void;
}

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

/** Who is told of what. @internal */
export class Observers {
  readonly #observers = new Set<Observer>();
  readonly #log: (level: keyof Logger, message: string, details: unknown) => void;

  constructor(log: (level: keyof Logger, message: string, details: unknown) => void) {
    this.#log = log;
  }

  /**
   * Adds a listener to events of a type, or to snapshots, twice if it is added twice.
   *
   * @returns what removes it
   * @throws `ERR_INVALID_OPTION` for a type that there is not
   */
  add(owner: object, type: string | undefined, listener: (event: never) => void): () => void {
    if (type !== undefined && !TYPES.includes(type)) {
      const known = `pass one of "${TYPES.join('", "')}"`;
      throw new InvalidOptionError(`there is no event "${String(type)}": ${known}`);
    }
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

  /** Tells an event, or without a type that the snapshot is another one. */
  tell(type: string | undefined, event: object | undefined): void {
    for (const observer of [...this.#observers]) {
      // An earlier one may have removed it.
      if (observer.type !== type || !this.#observers.has(observer)) continue;
      try {
        observer.listener(event as never);
      } catch (error) {
        this.#log("error", "a listener threw", error);
        globalThis.reportError?.(error);
      }
    }
  }
}
