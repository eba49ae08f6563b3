// A session whose state a test sets, for the tests of the adapters.

const UNKNOWN = Object.freeze({
  ...{ status: "unknown", reason: null, claims: null, subject: null, generation: 0 },
  ...{ expiresAt: null, refreshAt: null, idleAt: null, endsAt: null, secondsLeft: null, lastError: null },
});

export const active = { status: "active", subject: "ana", claims: { sub: "ana" } };
export const signedOut = (reason = "signed-out") => ({ status: "signed-out", reason });

export function scriptedSession() {
  const subscribers = new Set();
  const listeners = new Set();
  let snapshot = UNKNOWN;
  let disposed = false;
  const check = () => {
    if (disposed) throw Object.assign(new Error("disposed"), { code: "ERR_DISPOSED" });
  };
  const session = {
    calls: [],
    subscribers,
    listeners,
    restored: undefined,
    get snapshot() {
      return snapshot;
    },
    set(change) {
      snapshot = Object.freeze({ ...UNKNOWN, ...change });
      for (const subscriber of [...subscribers]) subscriber();
    },
    emit(type, event = {}) {
      for (const [known, listener] of [...listeners]) if (known === type) listener({ type, ...event });
    },
    subscribe(listener) {
      check();
      const own = () => listener();
      subscribers.add(own);
      return () => subscribers.delete(own);
    },
    on(type, listener) {
      check();
      const own = [type, listener];
      listeners.add(own);
      return () => listeners.delete(own);
    },
    async restore() {
      session.calls.push("restore");
      await session.restored;
      if (snapshot.status === "unknown") session.set(signedOut("none"));
      return snapshot;
    },
    touch: () => session.calls.push("touch"),
    async signOut() {
      session.calls.push("signOut");
    },
    dispose() {
      disposed = true;
    },
  };
  return session;
}
