// What every page has and Node.js 20 has not: Web Locks, and storage.

const tails = new Map();

const locks = {
  request(name, options, act = options) {
    const { signal } = options;
    const turn = (tails.get(name) ?? Promise.resolve()).then(() => {
      signal?.throwIfAborted();
      return act({ name, mode: "exclusive" });
    });
    const tail = turn.catch(() => {});
    tails.set(name, tail);
    return turn;
  },
};

class Area {
  #items = new Map();

  getItem(key) {
    return this.#items.get(key) ?? null;
  }

  setItem(key, value) {
    this.#items.set(key, String(value));
  }

  removeItem(key) {
    this.#items.delete(key);
  }
}

for (const [name, value] of Object.entries({
  navigator: { locks },
  localStorage: new Area(),
  sessionStorage: new Area(),
})) {
  Object.defineProperty(globalThis, name, { value, configurable: true });
}
