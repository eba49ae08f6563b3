// A page, and the workers and frames that it begins.

import "./e2e.js";

const MODULE = { type: "module" };

/** How each kind begins; what it brings can be told things. */
const beginnings = {
  dedicated: () => new Worker("told.js", MODULE),
  shared: () => new SharedWorker("told.js", MODULE).port,
  async service() {
    const { installing, active } = await navigator.serviceWorker.register("told.js", MODULE);
    const worker = installing ?? active;
    while (worker.state !== "activated") {
      await new Promise((resolve) => {
        worker.onstatechange = resolve;
      });
    }
    return worker;
  },
  async frame(src) {
    const frame = Object.assign(document.createElement("iframe"), { src });
    const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
    document.body.append(frame);
    await loaded;
    return frame.contentWindow;
  },
};

const ends = {
  dedicated: (worker) => worker.terminate(),
  service: async () => (await navigator.serviceWorker.ready).unregister(),
};

const begun = new Map();

async function begin(kind, source) {
  begun.set(kind, await beginnings[kind](source));
}

async function end(kind) {
  await ends[kind](begun.get(kind));
}

/** Has one of them do something, and gives what came of it. */
function tell(kind, name, argument) {
  return new Promise((resolve, reject) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data: { value, error } }) => {
      port1.close();
      if (error) reject(new Error(`${name} (${kind}): ${error.name}: ${error.message}`));
      else resolve(value);
    };
    begun.get(kind).postMessage([name, argument], { targetOrigin: "*", transfer: [port2] });
  });
}

Object.assign(e2e, { begin, end, tell });
