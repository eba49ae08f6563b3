// Runs before everything else in a page: time goes faster by the factor `speed`, for the page and for
// the service alike, and what tabs do together is counted. `speed` and `start` come from the page.

const { speed, start } = globalThis.bench;
const now = Date.now.bind(Date);
const virtual = () => start + (now() - start) * speed;

globalThis.Date = class extends Date {
  constructor(...given) {
    if (given.length > 0) super(...given);
    else super(virtual());
  }

  static now() {
    return Math.floor(virtual());
  }
};
const since = performance.now.bind(performance);
performance.now = () => since() * speed;
for (const name of ["setTimeout", "setInterval"]) {
  const plain = globalThis[name].bind(globalThis);
  globalThis[name] = (act, delay = 0, ...more) => plain(act, delay / speed, ...more);
}

const counts = { messages: 0, locks: 0 };
const { postMessage } = BroadcastChannel.prototype;
BroadcastChannel.prototype.postMessage = function (...given) {
  counts.messages += 1;
  return postMessage.apply(this, given);
};
const { request } = LockManager.prototype;
LockManager.prototype.request = function (...given) {
  counts.locks += 1;
  return request.apply(this, given);
};

globalThis.bench.counts = counts;
