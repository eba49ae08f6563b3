// What a session looks like and what it has counted, from what the wasm says to what callers see.

import { readJwt } from "./decode.ts";
import type { SessionError } from "./errors.ts";
import type { EndReason, Snapshot, Stats, Status } from "./types.ts";

/** What a session looks like, as the wasm says it. @internal */
export type Picture = readonly [
  status: string,
  reason: string | null,
  subject: string | null,
  generation: number,
  expiresAt: number | null,
  refreshAt: number | null,
  idleAt: number | null,
  endsAt: number | null,
  secondsLeft: number | null,
  token: string | null,
  failure?: number,
];

/** The picture for callers. @internal */
export function snapshotOf(
  picture: Picture,
  errorOf: (failure?: number) => SessionError | undefined,
): Snapshot {
  const [status, reason, subject, generation, expiresAt, refreshAt, ...more] = picture;
  const [idleAt, endsAt, secondsLeft, token, failure] = more;
  const [claims, flaw] = readJwt(token ?? "");
  return Object.freeze({
    status: status as Status,
    reason: reason as EndReason | null,
    claims: flaw ? null : claims,
    subject,
    generation,
    expiresAt,
    refreshAt,
    idleAt,
    endsAt,
    secondsLeft,
    lastError: errorOf(failure) ?? null,
  });
}

/** The counters, which come in the order that src/web/effects.rs says them. @internal */
export function statsOf(counters: number[], requests: Stats["requests"]): Stats {
  const next = <K extends string>(...names: K[]) =>
    Object.fromEntries(names.map((name) => [name, counters.shift() ?? 0])) as Record<K, number>;
  return {
    refreshes: next("scheduled", "unauthorized", "demanded", "explicit", "wake", "restore"),
    outcomes: next("committed", "adopted", "transient", "final", "discarded"),
    locks: next("requested", "granted", "timedOut"),
    storage: next("reads", "writes", "failures"),
    requests,
  };
}
