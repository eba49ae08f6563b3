// Makes requests of plans, by the platform's fetch and by a session's, and tells what differs. The same
// in a page and in Node.js. What a plan may hold: support/request-plans.mjs.

/** What differs for each plan, and what became of those that do not differ, by kind. */
export async function differences(session, plans, origin) {
  const found = [];
  const outcomes = {};
  for (const plan of plans) {
    const plain = await outcome(globalThis.fetch, plan, origin);
    const ours = await outcome(session.fetch, plan, origin);
    const authorized = ours.received.every(({ authorization }) => authorization === "Bearer" || !plan.own);
    for (const { received } of [plain, ours]) for (const one of received) delete one.authorization;
    // Of two faults at once either may be told: one aborted beforehand is not looked at further.
    const both = plan.abort === "before" && ours.error === "Own" && plain.error === "TypeError";
    const names = Object.keys({ ...plain, ...ours }).filter((name) => !same(plain[name], ours[name]));
    if ((names.length > 0 && !both) || !authorized) {
      found.push({ plan, authorized, differs: names.map((name) => [name, plain[name], ours[name]]) });
    }
    const kind = plain.error ?? plain.status;
    outcomes[kind] = (outcomes[kind] ?? 0) + 1;
  }
  return { found, outcomes };
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** What became of a request: what the caller is given, and what the server has received. */
async function outcome(fetch, plan, origin) {
  await told(origin); // what came late of the request before
  let given;
  try {
    const controller = new AbortController();
    const [input, init] = callOf(plan, controller.signal);
    if (plan.abort === "before") controller.abort(reason());
    const pending = fetch(input, init);
    if (plan.abort === "during") {
      let settled = false;
      const settle = () => (settled = true);
      pending.then(settle, settle);
      while (!settled && !(await asked(`${origin}/requests/held`)));
      controller.abort(reason());
    }
    const response = await pending;
    const { status, type, redirected, url, ok, statusText } = response;
    const headers = [...response.headers].filter(([name]) => !VOLATILE.test(name));
    given = { status, type, redirected, url, ok, statusText, headers, text: await response.text() };
    // A Request whose sending has failed may be sent again by a session, and not by fetch; and each that
    // has no `body`, as in Firefox.
    if (Reflect.has(Request.prototype, "body")) given.bodyUsed = input.bodyUsed;
  } catch (error) {
    given = { error: error.name };
  }
  return { ...given, received: await told(origin) };
}

const asked = async (url) => (await globalThis.fetch(url)).json();
const told = (origin) => asked(`${origin}/requests/received`);
const reason = () => Object.assign(new Error("no longer wanted"), { name: "Own" });
const VOLATILE = /^(date|x-request-id)$/;

/** The arguments of fetch. */
function callOf({ input, url, init, headers, body, signal }, abort) {
  const fields = { ...init };
  if (headers) fields.headers = HEADERS[headers.shape](headers.pairs);
  if (body) fields.body = BODIES[body.kind](body.text);
  if (signal) fields.signal = abort;
  if (input === "Request") return [new Request(url, fields)];
  if (input === "Request and init") {
    const { headers, signal, ...others } = fields;
    return [new Request(url, others), { ...(headers && { headers }), ...(signal && { signal }) }];
  }
  if (input === "Request as init") return [url, new Request(url, fields)];
  if (input === "inherited init") return [url, Object.create(fields)];
  if (input === "URL") return [new URL(url), fields];
  if (input === "object") return [{ toString: () => url }, fields];
  return [url, fields];
}

const HEADERS = {
  object: (pairs) => Object.fromEntries(pairs),
  "object without a prototype": (pairs) => Object.assign(Object.create(null), Object.fromEntries(pairs)),
  pairs: (pairs) => pairs,
  Headers: (pairs) => new Headers(pairs),
  Map: (pairs) => new Map(pairs),
};

const encode = (text) => new TextEncoder().encode(text);
const BODIES = {
  string: (text) => text,
  object: (text) => ({ toString: () => text }),
  URLSearchParams: (text) => new URLSearchParams([["a", text], ["b", ""], ["a", "2"]]),
  Blob: (text) => new Blob([text]),
  "Blob with a type": (text) => new Blob([text], { type: "text/x-own; charset=utf-8" }),
  File: (text) => new File([text], "a.txt", { type: "text/plain" }),
  ArrayBuffer: (text) => encode(text).buffer,
  Uint8Array: (text) => encode(`....${text}`).subarray(4),
  DataView: (text) => new DataView(encode(`..${text}`).buffer, 2),
  FormData(text) {
    const form = new FormData();
    form.append("field", text);
    form.append('a "name"\nof two lines', "x\ny");
    form.append("file", new File([text], 'über "b".bin'));
    form.append("file", new Blob(["2"], { type: "text/plain" }), "c\r.txt");
    return form;
  },
};
