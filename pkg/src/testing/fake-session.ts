// A session that does nothing by itself, for components, stories and their tests.

import { NotSignedInError } from "../errors.ts";
import type { Session, SessionEvents, Snapshot, Stats } from "../types.ts";
import { UNKNOWN } from "../unknown.ts";

import { makeResponse } from "./fetch-classes.ts";

/** A session that a test drives. */
export interface FakeSession extends Session {
  /**
   * Every call of a method, in order: its name, then its arguments.
   *
   * @example console.info(fake.calls.map(([method]) => method));
   */
  readonly calls: (readonly [method: string, ...values: unknown[]])[];
  /**
   * Changes the snapshot and tells subscribers.
   *
   * @example fake.set({ status: "warning", secondsLeft: 30 });
   */
  set(change: Partial<Snapshot>): void;
  /**
   * Tells listeners of an event.
   *
   * @example fake.emit("signed-out", { reason: "idle" });
   */
  emit<T extends keyof SessionEvents>(
    type: T,
    event?: Partial<Omit<SessionEvents[T], "type">>,
  ): void;
}

const SIGNED_IN: Partial<Snapshot> = { status: "active", reason: null, generation: 1 };

/**
 * A session of the full type. `start` signs in, `signOut` and `cancel` sign out; nothing else happens
 * unless the test says so.
 *
 * @param patch - the snapshot to begin with [`unknown`]
 * @example const fake = fakeSession({ status: "active" });
 */
export function fakeSession(patch: Partial<Snapshot> = {}): FakeSession {
  const subscribers = new Set<{ readonly call: () => void }>();
  const listeners = new Set<{ readonly type: string; readonly call: (event: never) => void }>();
  const calls: [string, ...unknown[]][] = [];
  let snapshot: Snapshot = Object.freeze({ ...UNKNOWN, ...patch });
  const set = (change: Partial<Snapshot>): void => {
    snapshot = Object.freeze({ ...snapshot, ...change });
    for (const { call } of [...subscribers]) call();
  };
  const end = (reason: Snapshot["reason"]): void =>
    set({ ...UNKNOWN, status: "signed-out", reason, lastError: snapshot.lastError });
  const add = <T>(all: Set<T>, one: T) => (all.add(one), () => void all.delete(one));
  const noted = <A extends unknown[], R>(name: string, act: (...values: A) => R) =>
    (...values: A): R => (calls.push([name, ...values]), act(...values));
  const signedIn = () => /^(active|stale|warning)$/.test(snapshot.status);
  return {
    calls,
    set,
    emit(type, event) {
      const told = Object.freeze({ type, at: Date.now(), ...event });
      for (const { type: wanted, call } of [...listeners]) if (wanted === type) call(told as never);
    },
    get snapshot() {
      return snapshot;
    },
    stats: STATS,
    subscribe: (call) => add(subscribers, { call }),
    on: (type, call) => add(listeners, { type, call }),
    start: noted("start", () => {
      set(SIGNED_IN);
      return () => end("cancelled");
    }),
    cancel: noted("cancel", () => end("cancelled")),
    signOut: noted("signOut", async () => end("signed-out")),
    restore: noted("restore", async () => {
      if (snapshot.status === "unknown") end("none");
      return snapshot;
    }),
    refresh: noted("refresh", async () => snapshot),
    fetch: noted("fetch", async () => makeResponse(null, { status: 204, headers: {} })),
    getAccessToken: noted("getAccessToken", async () => {
      if (signedIn()) return "fake-token";
      throw new NotSignedInError("nobody is signed in: fakeSession({ status: \"active\" })");
    }),
    authorize: noted("authorize", async () => (signedIn() ? "Bearer fake-token" : null)),
    reauthorize: noted("reauthorize", async () => null),
    touch: noted("touch", () => {}),
    hold: noted("hold", () => () => {}),
    dispose: noted("dispose", () => {}),
    [Symbol.dispose]() {},
  };
}

const STATS: Stats = {
  refreshes: { scheduled: 0, unauthorized: 0, demanded: 0, explicit: 0, wake: 0, restore: 0 },
  outcomes: { committed: 0, adopted: 0, transient: 0, final: 0, discarded: 0 },
  requests: { sent: 0, resent: 0, waited: 0, passed: 0 },
  locks: { requested: 0, granted: 0, timedOut: 0 },
  storage: { reads: 0, writes: 0, failures: 0 },
};
