// A drop-in for jwt-autorefresh 0.2.4: the same calls, on a session.

import { createSession, decodeJwt, InvalidOptionError, InvalidTokenError } from "../entry/inline.ts";

/**
 * What keeps a token fresh.
 *
 * @example
 * const options: AutorefreshOptions = {
 *   refresh: async () => (await fetch("/refresh", { method: "POST" })).text(),
 *   leadSeconds: 30,
 *   log: { info: console.info, error: console.error },
 * };
 */
export interface AutorefreshOptions {
  /**
   * Gets the next access token. What it throws, or rejects with, is logged, and it is called again
   * after a pause; `terminal: true` on the error ends that.
   */
  readonly refresh: () => string | PromiseLike<string>;
  /**
   * How many seconds before expiry to refresh, more than 0; a function is called anew for each token.
   * Where a token does not live that long, half of its life.
   */
  readonly leadSeconds: number | (() => number);
  /** Hears what goes on, never a token [errors go to `console.error`]. */
  readonly log?: AutorefreshLog | undefined;
}

/**
 * Where log lines go; a bunyan logger is one.
 *
 * @example const log: AutorefreshLog = { info: (message) => console.info(message), error: (error, message) => console.error(message, error) };
 */
export interface AutorefreshLog {
  /** What happens as it should: `CODE|text`. */
  info(message: string): void;
  /** What went wrong. */
  error(error: unknown, message: string): void;
}

/** Bound of one refresh, in seconds: it cannot be aborted, so it is given time. */
const TIMEOUT = 60;

let factories = 0;

/**
 * Makes the function that keeps tokens fresh. Each call makes one of its own, and so does each tab.
 *
 * @returns `start(token)`, which returns `cancel()`
 * @throws `ERR_INVALID_OPTION`; `start` throws `ERR_INVALID_TOKEN`, `ERR_INVALID_OPTION` for a lead,
 * and what `refresh` throws at once when the token is due already
 * @example
 * const start = autorefresh({ refresh: async () => (await fetch("/refresh")).text(), leadSeconds: 30 });
 * const cancel = start("ey...");
 */
export function autorefresh(options: AutorefreshOptions): (accessToken: string) => () => void {
  const { refresh, leadSeconds, log = { info() {}, error: console.error } } = Object(options);
  if (typeof refresh !== "function") {
    throw new InvalidOptionError("autorefresh requires a refresh function parameter");
  }
  if (!leadSeconds || !/^(number|function)$/.test(typeof leadSeconds)) {
    throw new InvalidOptionError(
      "autorefresh requires a leadSeconds number or function returning a number in seconds parameter",
    );
  }
  const say = (...line: [string] | [unknown, string]): void => {
    try {
      if (line.length === 1) log.info(line[0]);
      else log.error(...line);
    } catch {
      // A logger cannot hurt.
    }
  };

  /** Seconds until the token is to be refreshed. */
  const delayOf = (token: string): number => {
    try {
      const { exp } = decodeJwt(token);
      if (typeof exp !== "number") {
        throw new InvalidTokenError('autorefresh requires JWT token with "exp" standard claim');
      }
      const lead: unknown = typeof leadSeconds === "function" ? leadSeconds() : leadSeconds;
      if (!((lead as number) > 0)) {
        throw new InvalidOptionError("lead seconds must resolve to a positive number of seconds");
      }
      const delay = exp - (lead as number) - Date.now() / 1_000;
      say(`DELAY|calculated autorefresh delay => ${delay.toFixed(1)} seconds`);
      return delay;
    } catch (error) {
      if (error instanceof Error) {
        error.message = `DELAY_ERROR|error occurred calculating autorefresh delay => ${error.message}`;
      }
      throw error;
    }
  };
  const tokens = (accessToken: string, delay: number) => ({
    accessToken,
    refreshIn: delay > 0 ? delay : undefined,
  });

  const kept = new Map<string, string>();
  /** Begun by a start with a token that was due already. It answers one refresh, of that start. */
  let due: Promise<string> | undefined;
  const session = createSession({
    async refresh() {
      const begun = due;
      due = undefined;
      const token = await (begun ?? execute());
      return tokens(token, delayOf(token));
    },
    name: `autorefresh:${++factories}:${Math.random()}`,
    // Nothing outlives the page, and no other tab has a part in it.
    storage: {
      get: (key) => kept.get(key),
      set: (key, text) => kept.set(key, text),
      remove: (key) => kept.delete(key),
    },
    leadSeconds: 1e9,
    jitterSeconds: 0,
    idleSeconds: Infinity,
    timeoutSeconds: TIMEOUT,
  });
  function execute(): Promise<string> {
    say("EXECUTE|executing refresh");
    const given = refresh();
    if (typeof given !== "string" && typeof given?.then !== "function") {
      throw new InvalidOptionError(
        "refresh must return the access_token or a string that resolves to the access_token",
      );
    }
    return Promise.resolve(given);
  }
  session.on("refresh-failed", ({ error }) => {
    const { cause = error } = error;
    say(cause, `INVALID_REFRESH|refresh rejected with an error => ${(cause as Error)?.message ?? cause}`);
  });
  session.on("signed-out", ({ reason }) => {
    if (reason !== "cancelled") say(session.snapshot.lastError, `ENDED|autorefresh ended => ${reason}`);
  });
  let scheduled: number | null = null;
  session.subscribe(() => {
    const { refreshAt } = session.snapshot;
    if (refreshAt && refreshAt !== scheduled) {
      say(`SCHEDULE|scheduled refresh in ${((refreshAt - Date.now()) / 1_000).toFixed(1)} seconds`);
    }
    scheduled = refreshAt;
  });

  return (accessToken) => {
    say("START|autorefresh started");
    const delay = delayOf(accessToken);
    const stop = session.start(tokens(accessToken, delay));
    let first: Promise<string> | undefined;
    due = undefined;
    const cancel = () => {
      say("CANCEL|autorefresh cancelled");
      if (due === first) due = undefined;
      stop();
    };
    if (delay <= 0) {
      try {
        first = due = execute();
      } catch (error) {
        cancel();
        throw error;
      }
      // The caller that waits for it is told by the log, and it is tried again.
      first.catch(() => {});
      session.refresh().catch(() => {});
    }
    return cancel;
  };
}

export default autorefresh;
