// As much of a page as the session looks at: events, visibility, storage, an origin.

/** Puts a page around the test. */
export function page(t) {
  const target = new EventTarget();
  const listeners = new Map();
  const made = {
    local: new Area(),
    session: new Area(),
    document: { visibilityState: "visible", baseURI: "https://app.test/" },
    /** How many listeners there are, by event type. */
    listeners,
    /** Something happens on the page. */
    fire(type, fields = {}, at = undefined) {
      const event = Object.assign(new Event(type), fields);
      if (at) Object.defineProperty(event, "target", { value: at });
      target.dispatchEvent(event);
    },
  };
  const counted = (method, change) => (type, listener, options) => {
    listeners.set(type, (listeners.get(type) ?? 0) + change);
    target[method](type, listener, options);
  };
  put(t, {
    addEventListener: counted("addEventListener", 1),
    removeEventListener: counted("removeEventListener", -1),
    document: made.document,
    localStorage: made.local,
    sessionStorage: made.session,
    location: new URL("https://app.test/"),
  });
  return made;
}

/** Defines globals for the length of a test. */
export function put(t, globals) {
  for (const [name, value] of Object.entries(globals)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    t.after(() => {
      delete globalThis[name];
      if (before) Object.defineProperty(globalThis, name, before);
    });
  }
}

/** A lock manager as far as it goes: one holder a name, waiters in order. */
export function lockManager() {
  const held = [];
  const tails = new Map();
  return {
    held,
    request(name, { signal }, act) {
      const turn = (tails.get(name) ?? Promise.resolve()).then(async () => {
        if (signal.aborted) throw signal.reason;
        held.push(name);
        try {
          return await act();
        } finally {
          held.splice(held.indexOf(name), 1);
        }
      });
      tails.set(name, turn.catch(() => {}));
      return turn;
    },
  };
}

class Area {
  items = new Map();
  /** Set, it is thrown by every access. */
  broken = undefined;

  getItem(key) {
    if (this.broken) throw this.broken;
    return this.items.get(key) ?? null;
  }

  setItem(key, value) {
    if (this.broken) throw this.broken;
    this.items.set(key, value);
  }

  removeItem(key) {
    if (this.broken) throw this.broken;
    this.items.delete(key);
  }
}
