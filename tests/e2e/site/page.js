// A page, and the workers that it begins.

import "./e2e.js";

const MODULE = { type: "module" };

/** How each kind begins; what it brings can be told things. */
const beginnings = {
  dedicated: () => new Worker("worker.js", MODULE),
  shared: () => new SharedWorker("worker.js", MODULE).port,
  async service() {
    const { installing, active } = await navigator.serviceWorker.register("worker.js", MODULE);
    const worker = installing ?? active;
    while (worker.state !== "activated") {
      await new Promise((resolve) => worker.addEventListener("statechange", resolve, { once: true }));
    }
    return worker;
  },
};

const ends = {
  dedicated: (worker) => worker.terminate(),
  service: async () => (await navigator.serviceWorker.ready).unregister(),
};

const workers = new Map();

async function begin(kind) {
  workers.set(kind, await beginnings[kind]());
}

async function end(kind) {
  await ends[kind](workers.get(kind));
}

/** Has a worker do something, and gives what came of it. */
function tell(kind, name, argument) {
  return new Promise((resolve, reject) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data: { value, error } }) => {
      port1.close();
      if (error) reject(new Error(`${name} in a ${kind} worker: ${error.name}: ${error.message}`));
      else resolve(value);
    };
    workers.get(kind).postMessage([name, argument], [port2]);
  });
}

Object.assign(e2e, { begin, end, tell });
