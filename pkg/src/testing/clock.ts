// A clock that a test moves. Sessions of the kit live by it; timers of the runner go along.

/** What a test runner's fake timers leave at `setTimeout`. */
interface FakeClock {
  tick(milliseconds: number): unknown;
}

interface Timer {
  readonly owner: object;
  readonly at: number;
  readonly act: () => void;
}

// Taken before a runner can fake them.
const realTurn: (act: () => void) => void =
  (globalThis as { setImmediate?: (act: () => void) => void }).setImmediate ??
  ((act) => realTimeout(act, 0));
const realTimeout = globalThis.setTimeout;

/** Lets everything happen that waits for nothing but its turn. @internal */
export async function settle(): Promise<void> {
  for (let i = 0; i < 4; i += 1) await new Promise<void>((done) => realTurn(done));
}

/** The clock of a kit. Durations are in seconds. */
export class KitClock {
  /**
   * Of the servers, in epoch milliseconds: never set back, and skewed by nothing.
   *
   * @example console.info(new Date(kit.clock.now));
   */
  now: number;
  #skew = 0;
  #lastTimer = 0;
  readonly #start: number;
  readonly #timers = new Map<number, Timer>();
  /** Tabs whose timers stand still. @internal */
  readonly frozen: Set<object> = new Set();

  /** @internal */
  constructor(start: number) {
    this.now = start;
    this.#start = start;
  }

  /**
   * What the browser's own clock shows, in epoch milliseconds.
   *
   * @example console.info(kit.clock.local - kit.clock.now);
   */
  get local(): number {
    return this.now + this.#skew;
  }

  /** @internal */
  get monotonic(): number {
    return this.now - this.#start;
  }

  /**
   * Lets time pass: timers fire in order, and what follows from them happens.
   *
   * @example await kit.clock.advance(5 * 60);
   */
  async advance(seconds: number): Promise<void> {
    await settle();
    const end = this.now + seconds * 1_000;
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#move(Math.max(next[1].at, this.now));
      this.#fire(next);
      await settle();
    }
    this.#move(end);
    await settle();
  }

  /**
   * The computer sleeps: no timer fires until it wakes, and then those that are due do.
   *
   * @example await kit.clock.sleep(8 * 3_600);
   */
  async sleep(seconds: number): Promise<void> {
    await settle();
    this.now += seconds * 1_000;
    for (let next = this.#next(this.now); next; next = this.#next(this.now)) {
      this.#fire(next);
      await settle();
    }
  }

  /**
   * Sets the browser's clock ahead of the servers', by negative seconds behind them.
   *
   * @example await kit.clock.skew(-300);
   */
  async skew(seconds: number): Promise<void> {
    this.#skew = seconds * 1_000;
    await settle();
  }

  /** @internal */
  set(owner: object, act: () => void, delay: number): number {
    const at = this.now + Math.max(1, Number(delay) || 0);
    this.#timers.set((this.#lastTimer += 1), { owner, at, act });
    return this.#lastTimer;
  }

  /** @internal */
  clear(id: number): void {
    this.#timers.delete(id);
  }

  /** @internal */
  forget(owner: object): void {
    for (const [id, timer] of this.#timers) if (timer.owner === owner) this.#timers.delete(id);
  }

  #next(until: number): [number, Timer] | undefined {
    let found: [number, Timer] | undefined;
    for (const entry of this.#timers) {
      const [, { at, owner }] = entry;
      if (at <= until && !this.frozen.has(owner) && (!found || at < found[1].at)) found = entry;
    }
    return found;
  }

  #fire([id, { act }]: [number, Timer]): void {
    this.#timers.delete(id);
    act();
  }

  #move(to: number): void {
    const step = to - this.now;
    this.now = to;
    const { clock } = globalThis.setTimeout as { clock?: FakeClock };
    if (step > 0) clock?.tick(step);
  }
}
