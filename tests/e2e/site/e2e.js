// What a page, a worker or a frame offers to the tests, as `e2e`: sessions, what they told, and
// what they left behind.

import { createSession, init } from "/everfresh/url.js";

const TYPES = [
  ...["started", "refreshed", "refresh-failed", "stale", "warning", "extended", "signed-out"],
  ...["claims-changed", "subject-changed", "clock-skew", "storage-degraded", "revoke-failed"],
];

/** Timers that are set and have neither fired nor been cleared. */
const timers = new Set();
const { setTimeout: set, clearTimeout: clear } = globalThis;
globalThis.setTimeout = (act, delay, ...rest) => {
  const timer = set(() => {
    timers.delete(timer);
    act(...rest);
  }, delay);
  timers.add(timer);
  return timer;
};
globalThis.clearTimeout = (timer) => {
  timers.delete(timer);
  clear(timer);
};

/** Creates a session that can be told from others by its name. */
function open(options = {}) {
  const session = createSession({
    refresh: { url: "/oauth/token", revokeUrl: "/oauth/revoke" },
    jitterSeconds: 0,
    minIntervalSeconds: 0,
    ...options,
  });
  const events = [];
  const waiting = [];
  for (const type of TYPES) {
    session.on(type, ({ error, ...event }) => {
      const { generation, refreshAt, expiresAt } = session.snapshot;
      const failure = error && { error: plain(error) };
      events.push({ ...event, ...failure, generation, refreshAt, expiresAt });
      for (const look of waiting) look();
    });
  }
  const until = (type, count) =>
    new Promise((resolve) => {
      const look = () => {
        const found = events.filter((event) => event.type === type);
        if (found.length >= count) resolve(found[count - 1]);
      };
      waiting.push(look);
      look();
    });
  return { session, events, until };
}

/** Asks the server for tokens and says what it answered. */
async function login(username, password) {
  const response = await fetch("/auth/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username, password }),
  });
  return { status: response.status, body: await response.json() };
}

/** An error as a test can read it. */
function plain({ name, code, message, fault, retryable }) {
  return { name, code, message, fault, retryable };
}

/** What became of a promise: `{ value }` or `{ error }`. */
async function outcome(promise) {
  try {
    return { value: await promise };
  } catch (error) {
    return { error: plain(error) };
  }
}

/** Waits for the next snapshot. */
function change(session) {
  return new Promise((resolve) => {
    const stop = session.subscribe(() => {
      stop();
      resolve();
    });
  });
}

/** What a test can ask of whoever holds a session, by name. */
const does = {
  open(options) {
    Object.assign(globalThis, open(options));
  },
  async start(tokens) {
    await init();
    session.start(tokens);
  },
  login: ([username, password]) => login(username, password),
  restore: () => session.restore(),
  signOut: () => outcome(session.signOut()),
  refresh: () => outcome(session.refresh()),
  token: () => outcome(session.getAccessToken()),
  async fetch(path) {
    const { value, error } = await outcome(session.fetch(path));
    return error ? { error } : { status: value.status, body: await value.json() };
  },
  beginRefresh() {
    globalThis.refreshing = outcome(session.refresh());
  },
  refreshing: () => refreshing,
  snapshot() {
    const { lastError, ...rest } = session.snapshot;
    return { ...rest, lastError: lastError && plain(lastError) };
  },
  stats: () => session.stats,
  event: ([type, count]) => until(type, count),
  events: () => events,
  storage: () => outcome((async () => localStorage.length)()),
  async generation(wanted) {
    while (session.snapshot.generation < wanted) await change(session);
    return [session.snapshot.generation, await session.getAccessToken()];
  },
};

globalThis.e2e = { change, does, init, login, open, outcome, plain, timers };
