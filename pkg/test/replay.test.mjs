import assert from "node:assert/strict";
import { test } from "node:test";

import { API, settle, world } from "./world.mjs";

/** Sends a request whose token the server refuses once; returns the two that arrived. */
async function twice(t, input, init) {
  const w = world(t);
  await w.start();
  w.current = undefined;
  const response = await w.session.fetch(input, init);
  assert.equal(response.status, 200);
  assert.equal(w.sent.length, 2);
  return w.sent;
}

function differOnlyInAuthorization([first, second]) {
  const rest = ({ headers }) => [...headers].filter(([name]) => name !== "authorization");
  assert.deepEqual(rest(first), rest(second));
  assert.deepEqual(first.body, second.body);
  assert.notEqual(first.token, second.token);
  const fields = ["method", "mode", "credentials", "cache", "redirect", "referrer", "keepalive"];
  for (const field of [...fields, "referrerPolicy", "integrity", "url"]) {
    assert.equal(first.request[field], second.request[field], field);
  }
}

const form = () => {
  const data = new FormData();
  data.append("plain", "line\nbreak");
  data.append('qu"oted', "ž");
  data.append("two\nlines\rand\r\nmore", "100 %");
  data.append("file", new File([new Uint8Array([0, 13, 10, 255])], "a \"b\".bin"));
  data.append("typed", new File(["x"], "x.txt", { type: "text/plain" }));
  return data;
};
const bodies = {
  "a string": "žluť",
  JSON: JSON.stringify({ a: 1 }),
  "URL parameters": new URLSearchParams({ a: "b c", d: "&" }),
  "a Blob": new Blob(["blob"], { type: "text/x" }),
  "an ArrayBuffer": new Uint8Array([1, 2, 3]).buffer,
  "a view": new Uint8Array([0, 1, 2, 3]).subarray(1, 3),
  "a DataView": new DataView(new ArrayBuffer(4), 1, 2),
  "a form with files": form(),
};

for (const [name, body] of Object.entries(bodies)) {
  test(`${name} is sent again byte for byte`, async (t) => {
    const sent = await twice(t, API, { method: "POST", body });
    differOnlyInAuthorization(sent);
    assert.ok(sent[0].body.length > 0);
  });

  test(`${name} is what the platform would send`, async (t) => {
    const [, { body: bytes, headers }] = await twice(t, API, { method: "POST", body });
    const plain = new Request(API, { method: "POST", body });
    const type = (from) => from.get("content-type")?.replace(/boundary=.*/i, "");
    assert.equal(type(headers), type(plain.headers));
    if (!(body instanceof FormData)) {
      assert.deepEqual(bytes, Buffer.from(await plain.arrayBuffer()));
      return;
    }
    const received = new Response(bytes, { headers: { "content-type": headers.get("content-type") } });
    const entries = async (data) =>
      Promise.all([...data].map(async ([key, value]) =>
        typeof value === "string" ? [key, value] : [key, value.name, value.type, await value.text()]));
    assert.deepEqual(await entries(await received.formData()), await entries(await plain.formData()));
  });

  test(`${name} inside a Request is sent again byte for byte`, async (t) => {
    differOnlyInAuthorization(await twice(t, new Request(API, { method: "POST", body })));
  });
}

test("a body that is changed after sending is sent again as it was", async (t) => {
  const w = world(t);
  await w.start();
  w.current = undefined;
  const bytes = new Uint8Array([1, 2, 3]);
  const data = form();
  const calls = [
    w.session.fetch(API, { method: "POST", body: bytes }),
    w.session.fetch(API, { method: "POST", body: data }),
  ];
  bytes.fill(0);
  data.set("plain", "changed");
  await Promise.all(calls);
  const [a, b] = ["application/octet-stream", "multipart"].map((_, i) =>
    w.sent.filter(({ headers }) => Boolean(headers.get("content-type")) === Boolean(i)));
  assert.deepEqual(a[0].body, a[1].body);
  assert.deepEqual([...a[0].body], [1, 2, 3]);
  assert.deepEqual(b[0].body, b[1].body);
});

test("an init without a field leaves the referrer of a Request, and one with a field resets it", async (t) => {
  for (const [init, kept] of [[{}, true], [{ signal: undefined }, true], [{ cache: "no-store" }, false]]) {
    t.mock.timers.reset();
    t.mock.restoreAll();
    const referrer = `${API}/elsewhere`;
    for (const { request } of await twice(t, new Request(API, { referrer }), init)) {
      assert.equal(request.referrer === referrer, kept, JSON.stringify(init));
    }
  }
});

test("a signal of null takes that of the Request away", async (t) => {
  const w = world(t);
  await w.start();
  const request = new Request(API, { signal: AbortSignal.abort() });
  assert.equal((await w.session.fetch(request, { signal: null })).status, 200);
  await assert.rejects(w.session.fetch(request, {}), { name: "AbortError" });
});

test("mode no-cors, which carries no token, becomes cors where there is one", async (t) => {
  const w = world(t);
  const modes = () => w.sent.map(({ init }) => init.mode);
  w.api = () => new Response("data");
  await w.session.fetch(API, { mode: "no-cors" });
  await w.start();
  await w.session.fetch(API, { mode: "no-cors" });
  await w.session.fetch(new Request(API), { mode: "no-cors" });
  assert.deepEqual(modes(), ["no-cors", "cors", "cors"]);
  assert.deepEqual(w.sent.map(({ token }) => token === w.current), [false, true, true]);
});

test("every field of the request is kept", async (t) => {
  const init = {
    method: "PUT",
    body: "x",
    headers: Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`X-${i}`, String(i)])),
    credentials: "include",
    redirect: "error",
    referrerPolicy: "no-referrer",
    cache: "no-cache",
    keepalive: true,
    mode: "cors",
  };
  for (const [input, fields] of [
    [API, init],
    [new URL(API), init],
    [new Request(API, init)],
    [API, new Request(API, { ...init, keepalive: false })],
    [new Request(API, init), { headers: { "X-0": "0", "X-1": "changed" } }],
  ]) {
    t.mock.timers.reset();
    t.mock.restoreAll();
    const sent = await twice(t, input, fields);
    differOnlyInAuthorization(sent);
    const [{ request, headers }] = sent;
    assert.equal(headers.get("X-0"), "0");
    if (!fields?.headers || fields.method) {
      // The platform itself resets it when a Request comes with an init.
      assert.equal(request.referrerPolicy, init.referrerPolicy);
    }
    for (const field of ["method", "credentials", "redirect", "cache"]) {
      assert.equal(request[field], init[field], field);
    }
  }
});

test("a Request of another class is cloned and given the token", async (t) => {
  class Foreign {
    headers = new Headers();
    url = `${API}/x`;
    clone() {
      return new Foreign();
    }
  }
  let sent;
  const fetch = async (request) => {
    if (request instanceof Foreign) sent = request;
    return new Response("ok");
  };
  const w = world(t, { fetch });
  await w.start();
  await w.session.fetch(new Foreign());
  assert.match(sent?.headers.get("authorization"), /^Bearer /);
});

test("requests of a service worker get the token, an image's too", async (t) => {
  const w = world(t);
  await w.start();
  const { clone } = Request.prototype;
  for (const guard of ["immutable", "request-no-cors"]) {
    // As the platform guards the headers of clones, and not those of what is made of them.
    const cloned = t.mock.method(Request.prototype, "clone", function () {
      const copy = clone.call(this);
      const set = () => {
        if (guard === "immutable") throw new TypeError("immutable");
      };
      return Object.defineProperty(copy, "headers", {
        value: Object.defineProperty(copy.headers, "set", { value: set }),
      });
    });
    await w.session.fetch(new Request(`${API}/${guard}`));
    assert.ok(cloned.mock.callCount() > 0);
    assert.ok(w.sent.at(-1).token, guard);
    cloned.mock.restore();
  }
});

test("fields that an init inherits are kept", async (t) => {
  const w = world(t);
  await w.start();
  await w.session.fetch(`${API}/x`, Object.create({ method: "PUT", body: "text" }));
  assert.deepEqual([w.sent[0].method, String(w.sent[0].body)], ["PUT", "text"]);
});

test("fields that the platform does not know are kept too", async (t) => {
  const w = world(t);
  await w.start();
  w.current = undefined;
  await w.session.fetch(API, { next: { revalidate: 5 } });
  for (const { init } of w.sent) assert.deepEqual(init.next, { revalidate: 5 });
});

test("a stream is never replayed: its 401 is the caller's, and a refresh follows", async (t) => {
  const w = world(t);
  await w.start();
  w.current = undefined;
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("once"));
      controller.close();
    },
  });
  const response = await w.session.fetch(API, { method: "POST", body, duplex: "half" });
  assert.equal(response.status, 401);
  assert.equal(String(w.sent[0].body), "once");
  await settle();
  assert.equal(w.sent.length, 1);
  assert.equal(w.refreshes.length, 1);
});

test("a Request that was used up is refused as fetch refuses it", async (t) => {
  const w = world(t);
  await w.start();
  const used = new Request(API, { method: "POST", body: "x" });
  await used.text();
  await assert.rejects(w.session.fetch(used), TypeError);
});
