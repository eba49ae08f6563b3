// The 401s that another refresh will not heal.

/** What a fresh token got a 401 from: with which lease, none while that is not known, and when. */
interface Refusal {
  lease: number | undefined;
  readonly at: number;
}

/** For how many milliseconds a refusal stands although 401s have brought other tokens. */
const STANDS = 60_000;

/** How many of what comes from outside are remembered. */
const REMEMBERED = 64;

/** Adds an entry, and forgets the oldest of too many. @internal */
export function keepNewest<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > REMEMBERED) map.delete(map.keys().next().value!);
}

/** Origins and paths that refuse fresh tokens. @internal */
export class Refusals {
  readonly #places = new Map<string, Refusal>();

  /** A fresh token got a 401 there; without a lease it is only known that it was sent there. */
  add(place: string, lease?: number): void {
    keepNewest(this.#places, place, { lease, at: Date.now() });
  }

  /** Whether there are any: to name a place takes time. */
  get any(): boolean {
    return this.#places.size > 0;
  }

  /** Whether the token in use need not be replaced for a 401 from there. */
  stands(place: string, lease: number): boolean {
    const known = this.#places.get(place);
    if (!known || (known.lease !== lease && Math.abs(Date.now() - known.at) > STANDS)) return false;
    known.lease = lease;
    return true;
  }

  /** Another token is another chance, unless it came for a 401, here or in another tab. */
  hear({ type, reason }: { type: string; reason?: string | null }): void {
    const chance = type === "refreshed" && reason && reason !== "unauthorized";
    if (chance || type === "started") this.#places.clear();
  }
}
