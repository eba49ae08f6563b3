// The sessions of a token service to develop against, and the rules by which refresh tokens rotate.
// The companion server's rules in short: docs/rotation.md.

/** One traded refresh token. */
interface Rotation {
  readonly token: string;
  /** The rotation key it was traded with. */
  readonly key: string | undefined;
  /** When, in epoch milliseconds. */
  readonly at: number;
}

/** One sign-in. Plain data, so that it can be kept in a file. */
export interface SessionRow {
  readonly sid: string;
  readonly username: string;
  readonly clientId: string;
  readonly signedInAt: number;
  /** The refresh token that is good. */
  token: string;
  /** Those that were traded, the newest last. */
  readonly traded: Rotation[];
  /** The last sign of life, in epoch milliseconds. */
  usedAt: number;
  /** Whether a rotation key was ever used. */
  keyed: boolean;
  /** Why it is over: an `error_code`, or empty; undefined while it is not. */
  ended: string | undefined;
}

/** A refresh token, and what came with it. */
export interface Presented {
  readonly token: string;
  /** The rotation key. */
  readonly key: string | undefined;
  readonly clientId: string | undefined;
  /** All tabs share a cookie: it may be newer than the key that a tab sends along. */
  readonly inCookie: boolean;
}

/** What a refresh comes to. */
export type Refreshed =
  | { readonly row: SessionRow; readonly token: string; readonly replayed: boolean }
  | { readonly code: string };

/** Durations in milliseconds. */
export interface Limits {
  readonly idle: number;
  readonly absolute: number;
  /** How long a rotation may be repeated with another key. */
  readonly grace: number;
}

/** Within N rotations a late duplicate is no theft. */
const REMEMBERED = 8;

/** All sessions. */
export class Sessions {
  readonly rows: Map<string, SessionRow> = new Map();
  readonly #limits: Limits;
  readonly #random: () => string;

  constructor(limits: Limits, random: () => string) {
    this.#limits = limits;
    this.#random = random;
  }

  begin(username: string, clientId: string, now: number): SessionRow {
    const row: SessionRow = {
      ...{ sid: this.#random(), username, clientId, signedInAt: now, usedAt: now },
      ...{ token: this.#newToken(), traded: [], keyed: false, ended: undefined },
    };
    this.rows.set(row.sid, row);
    return row;
  }

  /** Trades a refresh token for its successor, or says why not. */
  refresh({ token, key, clientId, inCookie }: Presented, now: number): Refreshed {
    const row = this.find(token);
    if (!row) return { code: "" };
    if (row.ended !== undefined) return { code: row.ended };
    if (clientId !== undefined && row.clientId !== "default" && clientId !== row.clientId) return { code: "" };
    if (now >= this.endsAt(row)) return this.#end(row, "");
    row.usedAt = now;
    const isKeyOf = (rotation: Rotation | undefined) => key !== undefined && key === rotation?.key;
    const isRepeated = (made: number) => inCookie && isKeyOf(row.traded[made - 1]);
    if (token === row.token && isRepeated(row.traded.length)) return { row, token, replayed: true };
    if (token === row.token) {
      row.traded.push({ token, key, at: now });
      row.keyed ||= key !== undefined;
      row.token = this.#newToken();
      return { row, token: row.token, replayed: false };
    }
    const at = row.traded.findIndex((rotation) => rotation.token === token);
    const rotation = row.traded[at]!;
    const same =
      isKeyOf(rotation) ||
      (now <= rotation.at + this.#limits.grace && (key !== undefined || !row.keyed));
    if (same && at === row.traded.length - 1) return { row, token: row.token, replayed: true };
    if ((same || isRepeated(at)) && at >= row.traded.length - REMEMBERED) return { code: "superseded" };
    return this.#end(row, "reuse_detected");
  }

  /** The session of a refresh token, old or new. */
  find(token: string): SessionRow | undefined {
    const has = (row: SessionRow) =>
      row.token === token || row.traded.some((rotation) => rotation.token === token);
    return token ? [...this.rows.values()].find(has) : undefined;
  }

  /** Whether a session goes on. */
  lives(sid: unknown, now: number): SessionRow | undefined {
    const row = this.rows.get(String(sid));
    return row && row.ended === undefined && now < this.endsAt(row) ? row : undefined;
  }

  /** When it ends without a refresh, in epoch milliseconds. */
  endsAt(row: SessionRow): number {
    return Math.min(row.signedInAt + this.#limits.absolute, row.usedAt + this.#limits.idle);
  }

  /** Ends the sessions that `which` chooses; `code` is what later refreshes hear. */
  end(which: (row: SessionRow) => boolean, code = ""): void {
    for (const row of this.rows.values()) if (which(row)) row.ended ??= code;
  }

  #end(row: SessionRow, code: string): Refreshed {
    row.ended = code;
    return { code };
  }

  #newToken(): string {
    return `rt_${this.#random()}${this.#random()}`;
  }
}
