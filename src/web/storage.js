// Places that keep texts: Web Storage, or whatever the application gave.

const web = (area) => ({
  get: (key) => globalThis[area].getItem(key),
  set: (key, value) => globalThis[area].setItem(key, value),
  remove: (key) => globalThis[area].removeItem(key),
});
const local = web("localStorage");
const session = web("sessionStorage");

/** The places of a storage option; the first one keeps the tokens, if any does. */
export function openPlaces(storage) {
  if (storage === "memory" || storage === "local") return [local];
  return storage === "session" ? [session, local] : [storage];
}

/** Reads the key in all places; `done(id, texts)`, or `done(id)` when that cannot be done. */
export function load(places, key, id, signal, done) {
  settle(
    // Only an application's own place may answer later, and it is alone.
    () => (places.length > 1 ? places.map((place) => place.get(key)) : places[0].get(key)),
    (texts) => done(id, Array.isArray(texts) ? texts : [texts]),
    () => done(id),
    signal,
  );
}

/** Stores the texts, one in each place; `done(id, true)`, or `done(id)` when one failed. */
export function save(places, key, texts, id, signal, done) {
  settle(
    () => {
      let last;
      places.forEach((place, i) => {
        last = place.set(key, texts[i]);
      });
      return last;
    },
    () => done(id, true),
    () => done(id),
    signal,
  );
}

/** Moves a text that is no record out of the way. */
export function setAside(places, index, key, text) {
  const place = places[index];
  settle(
    () => {
      const moved = place.set(`${key}:set-aside`, text);
      return moved?.then ? moved.then(() => place.remove(key)) : place.remove(key);
    },
    () => {},
    () => {},
  );
}

/** Forgets what only this tab keeps. */
export function forget(key) {
  settle(
    () => session.remove(key),
    () => {},
    () => {},
  );
}

/** Calls one of two functions, at once unless `act` returns a promise. */
function settle(act, succeed, fail, signal) {
  const unless = (then) => (value) => {
    if (!signal?.aborted) then(value);
  };
  let value;
  try {
    value = act();
  } catch {
    return fail();
  }
  if (typeof value?.then !== "function") return succeed(value);
  value.then(unless(succeed), unless(fail));
}
