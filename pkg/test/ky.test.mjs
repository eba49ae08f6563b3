// What ky's documentation promises, each by the platform's fetch, by a session's, and by a session
// whose token the server has just revoked: the caller and the server cannot tell them apart, but for
// `Authorization` and the one 401 that the session heals.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import ky, { HTTPError, isForceRetryError, isHTTPError, isKyError, isNetworkError, isTimeoutError, replaceOption } from "ky";

import { createSession } from "everfresh";

import { lockManager, put } from "./page.mjs";
import { jwt } from "./world.mjs";

/** A server, and what it received of one run. `good` is the only token that it takes, if it takes any. */
async function service(t) {
  const made = { good: undefined, received: [], refused: 0, failures: new Map(), hung: () => {} };
  const server = createServer(async (asked, answer) => {
    const chunks = [];
    for await (const chunk of asked) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString().replaceAll(/-{4,}\w*form[\w-]*\d+/gi, "BOUNDARY");
    const { method, url, headers } = asked;
    if (made.good && headers.authorization !== `Bearer ${made.good}`) {
      made.refused += 1;
      return answer.writeHead(401).end();
    }
    const type = headers["content-type"]?.replace(/boundary=.*/, "boundary");
    made.received.push({ method, url, body, type, accept: headers.accept, custom: headers["x-custom"] });
    const json = (status, value, more) =>
      answer.writeHead(status, { "Content-Type": "application/json", ...more }).end(JSON.stringify(value));
    const [, kind, status, times] = new URL(url, "http://any").pathname.split("/");
    const before = made.failures.get(url) ?? 0;
    made.failures.set(url, before + 1);
    if (kind === "hang") return made.hung();
    if (kind === "hang-once" && before === 0) return undefined;
    if (kind === "fail" && before < Number(times ?? Infinity)) return json(Number(status), { message: "no" });
    if (kind === "wait" && before < 1) return json(Number(status), {}, { "Retry-After": "0" });
    if (kind === "cut" && before < Number(times ?? Infinity)) return asked.socket.destroy();
    if (kind === "text") return answer.writeHead(Number(status), { "Content-Type": "text/plain" }).end("words");
    if (kind === "empty") return answer.writeHead(204).end();
    if (kind === "redirect") return answer.writeHead(302, { Location: "/echo" }).end();
    return json(200, { method, url, body });
  });
  t.after(() => (server.closeAllConnections(), server.close()));
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  made.url = `http://127.0.0.1:${server.address().port}`;
  return made;
}

/** A session that is signed in at the service; its refreshes go nowhere. */
function signedIn(t, to) {
  if (!globalThis.navigator?.locks) put(t, { navigator: { locks: lockManager() } });
  let issued = 0;
  const issue = () => {
    const exp = Math.floor(Date.now() / 1_000) + 300;
    return (to.good = jwt({ sub: "ana", exp, jti: String((issued += 1)) }));
  };
  const session = createSession({ refresh: issue, name: `ky-${t.name}`, origins: [to.url] });
  t.after(() => session.dispose());
  session.start(issue());
  return session;
}

/** What a call came to, so that two can be compared. */
async function outcome(call) {
  try {
    const value = await call();
    return { value: value instanceof Response ? { status: value.status, text: await value.text() } : value };
  } catch (error) {
    const { name, message, response, data, request } = error;
    return { name, message, status: response?.status, data, request: request?.url };
  }
}

const quick = { delay: () => 0 };
const behaviours = [];
/** `call` gets ky, and what it has to call back; what it returns or throws is what its caller sees. */
const behaviour = (name, call, expected, options = {}) => behaviours.push({ name, call, expected, ...options });

for (const method of ["get", "post", "put", "patch", "delete"]) {
  behaviour(`${method}()`, (api) => api[method]("echo").json(), ({ value }) => {
    assert.equal(value.method, method.toUpperCase());
  });
}
behaviour("head() has no body", (api) => api.head("echo").text(), ({ value }) => assert.equal(value, ""));
behaviour("json is sent as JSON", (api) => api.post("echo", { json: { a: [1] } }).json(), ({ value, received }) => {
  assert.equal(value.body, '{"a":[1]}');
  assert.equal(received[0].type, "application/json");
});
behaviour(
  "stringifyJson writes it",
  (api) => api.put("echo", { json: { a: 1 }, stringifyJson: (it) => `<${JSON.stringify(it)}>` }).json(),
  ({ value }) => assert.equal(value.body, '<{"a":1}>'),
);
for (const [kind, body, type] of [
  ["text", () => "some text", "text/plain;charset=UTF-8"],
  ["URLSearchParams", () => new URLSearchParams({ a: "b c" }), "application/x-www-form-urlencoded;charset=UTF-8"],
  ["a Blob", () => new Blob(["bytes"], { type: "image/png" }), "image/png"],
  ["bytes", () => new TextEncoder().encode("bytes"), undefined],
  ["FormData", form, "multipart/form-data; boundary"],
]) {
  behaviour(`a body: ${kind}`, (api) => api.post("echo", { body: body() }).json(), ({ value, received }) => {
    assert.ok(value.body.length > 4);
    assert.equal(received[0].type, type);
  });
}
for (const [kind, searchParams, search] of [
  ["an object", { a: 1, b: true, c: undefined, d: null }, "?kept=1&a=1&b=true&d=null"],
  ["pairs", [["a", 1], ["a", 2]], "?kept=1&a=1&a=2"],
  ["a text", "a=1&b=2", "?kept=1&a=1&b=2"],
  ["URLSearchParams", new URLSearchParams({ a: "b c" }), "?kept=1&a=b+c"],
]) {
  behaviour(`searchParams: ${kind}`, (api) => api.get("echo?kept=1", { searchParams }).json(), ({ value }) => {
    assert.equal(value.url, `/echo${search}`);
  });
}
behaviour("prefix", (api) => api.get("/echo", { prefix: "under/" }).json(), ({ value }) => {
  assert.equal(value.url, "/under/echo");
});
behaviour(
  "headers are merged, deleted and replaced by extend",
  async (api) => {
    const child = api.extend({ headers: { "x-custom": "one" } });
    await child.get("echo");
    await child.get("echo", { headers: { "x-custom": undefined } });
    return child.get("echo", { headers: replaceOption({ accept: "text/x" }) }).json();
  },
  ({ received }) => {
    assert.deepEqual(received.map(({ custom }) => custom), ["one", undefined, undefined]);
    assert.equal(received[2].accept, "text/x");
  },
);
behaviour("accept follows the kind of answer", (api) => api.get("echo").json(), ({ received }) => {
  assert.equal(received[0].accept, "application/json");
});
behaviour("a Request as input", (api, w) => api(new Request(`${w.url}/echo`, { method: "PUT", body: "x" })).json(), ({ value }) => {
  assert.deepEqual([value.method, value.body], ["PUT", "x"]);
});
behaviour("redirects are followed", (api) => api.get("redirect").json(), ({ value }) => assert.equal(value.url, "/echo"));

behaviour("a 503 is tried again, with the body", (api) => api.put("fail/503/2", { json: { a: 1 }, retry: quick }).json(), ({ received }) => {
  assert.deepEqual(received.map(({ body }) => body), Array(3).fill('{"a":1}'));
});
behaviour("as often as the limit says", (api) => api.get("fail/500", { retry: { ...quick, limit: 1 } }), ({ status, received }) => {
  assert.deepEqual([status, received.length], [500, 2]);
});
behaviour("a POST is not tried again", (api) => api.post("fail/503", { retry: quick }), ({ received }) => {
  assert.equal(received.length, 1);
});
behaviour("a 404 is not", (api) => api.get("fail/404", { retry: quick }), ({ received }) => assert.equal(received.length, 1));
behaviour("retry: 0 is none", (api) => api.get("fail/503", { retry: 0 }), ({ received }) => assert.equal(received.length, 1));
behaviour("Retry-After sets the delay", (api) => api.get("wait/413").json(), ({ received }) => assert.equal(received.length, 2));
behaviour("a 413 without it is not tried again", (api) => api.get("fail/413", { retry: quick }), ({ received }) => {
  assert.equal(received.length, 1);
});
behaviour(
  "shouldRetry says yes, no, or nothing",
  async (api) => {
    const counts = [];
    for (const [status, verdict] of [[404, true], [503, false], [503, undefined]]) {
      let asked = 0;
      const shouldRetry = () => ((asked += 1), verdict);
      await outcome(() => api.get(`fail/${status}/9/${verdict}`, { retry: { ...quick, limit: 2, shouldRetry } }));
      counts.push(asked);
    }
    return counts;
  },
  ({ value, received }) => {
    assert.deepEqual(value, [2, 1, 2]);
    assert.equal(received.length, 3 + 1 + 3);
  },
);
behaviour("a lost connection is tried again", (api) => api.get("cut/0/1", { retry: quick }).json(), ({ received }) => {
  assert.equal(received.length, 2);
});
behaviour("and is a NetworkError in the end", (api) => api.get("cut/0", { retry: 0 }), ({ name, request }, w) => {
  assert.deepEqual([name, request], ["NetworkError", `${w.url}/cut/0`]);
});

behaviour("timeout", (api) => api.get("hang", { timeout: 30 }), ({ name }) => assert.equal(name, "TimeoutError"));
behaviour(
  "retryOnTimeout",
  (api) => api.get("hang-once", { timeout: 500, retry: { ...quick, retryOnTimeout: true } }).json(),
  ({ received }) => assert.equal(received.length, 2),
);
behaviour(
  "totalTimeout bounds the retries",
  (api) => api.get("fail/503", { totalTimeout: 30, retry: { delay: () => 60_000 } }),
  ({ name }) => assert.equal(name, "TimeoutError"),
);
behaviour(
  "a signal aborts",
  (api, w) => {
    const controller = new AbortController();
    w.hung = () => controller.abort();
    return api.get("hang", { signal: controller.signal });
  },
  ({ name }) => assert.equal(name, "AbortError"),
);

behaviour(
  "init and beforeRequest change the request",
  (api) => {
    const init = [(options) => void (options.searchParams = { key: "k" })];
    const beforeRequest = [
      ({ request }) => request.headers.set("x-custom", "hooked"),
      ({ request, retryCount }) => new Request(`${request.url}&count=${retryCount}`, request),
    ];
    return api.post("echo", { json: {}, hooks: { init, beforeRequest } }).json();
  },
  ({ value, received }) => {
    assert.equal(value.url, "/echo?key=k&count=0");
    assert.equal(received[0].custom, "hooked");
  },
);
behaviour(
  "a Response of beforeRequest is the answer, and nothing is sent",
  (api) => api.get("echo", { hooks: { beforeRequest: [() => Response.json("mocked")] } }).json(),
  ({ value, received }) => assert.deepEqual([value, received], ["mocked", []]),
  { sendsNothing: true },
);
behaviour(
  "beforeRetry hears why, and changes the request",
  async (api) => {
    const heard = [];
    const beforeRetry = [
      ({ request, error, retryCount }) => {
        heard.push([error.name, error.response?.status, error.data, retryCount]);
        request.headers.set("x-custom", String(retryCount));
      },
    ];
    await api.get("fail/503/2", { retry: quick, hooks: { beforeRetry } });
    return heard;
  },
  ({ value, received }) => {
    assert.deepEqual(value, [1, 2].map((count) => ["HTTPError", 503, { message: "no" }, count]));
    assert.deepEqual(received.map(({ custom }) => custom), [undefined, "1", "2"]);
  },
);
behaviour(
  "beforeRetry gives another request, a response, or stops",
  async (api, w) => {
    const given = [() => new Request(`${w.url}/echo?other`), () => Response.json("cached"), () => ky.stop];
    const call = (hook, at) => api.get(`fail/503/9/${at}`, { retry: quick, hooks: { beforeRetry: [hook] } });
    const [other, cached, stopped] = [await call(given[0], 0), await call(given[1], 1), await call(given[2], 2)];
    return [(await other.json()).url, await cached.json(), stopped];
  },
  ({ value, received }) => {
    assert.deepEqual(value, ["/echo?other", "cached", undefined]);
    assert.equal(received.length, 4);
  },
);
behaviour(
  "afterResponse reads, replaces and asks again",
  async (api, w) => {
    const seen = [];
    const read = async ({ response, retryCount }) => void seen.push([response.status, retryCount, (await response.json()).url]);
    await api.get("echo", { hooks: { afterResponse: [read] } });
    const replaced = await api.get("echo", { hooks: { afterResponse: [() => new Response("mine")] } }).text();
    const again = ({ retryCount }) =>
      retryCount === 0 ? ky.retry({ request: new Request(`${w.url}/echo?again`), code: "AGAIN", delay: 0 }) : undefined;
    const beforeRetry = [({ error }) => void seen.push([isForceRetryError(error), error.message])];
    const forced = await api.get("echo", { hooks: { afterResponse: [again], beforeRetry } }).json();
    return [seen, replaced, forced.url];
  },
  ({ value }) => {
    assert.deepEqual(value, [[[200, 0, "/echo"], [true, "Forced retry: AGAIN"]], "mine", "/echo?again"]);
  },
);
behaviour(
  "beforeError changes what is thrown",
  (api) => {
    const beforeError = [({ error }) => Object.assign(error, { message: `${error.data.message}: ${error.response.status}` })];
    return api.get("fail/404", { hooks: { beforeError } });
  },
  ({ message }) => assert.equal(message, "no: 404"),
);
behaviour(
  "context is for hooks",
  (api) => {
    const beforeRequest = [({ request, options }) => request.headers.set("x-custom", options.context.who)];
    return api.get("echo", { context: { who: "me" }, hooks: { beforeRequest } });
  },
  ({ received }) => assert.equal(received[0].custom, "me"),
);

behaviour("an HTTPError has the parsed body", (api) => api.get("fail/404"), ({ name, status, data }) => {
  assert.deepEqual([name, status, data], ["HTTPError", 404, { message: "no" }]);
});
behaviour("or its text", (api) => api.get("text/400"), ({ data }) => assert.equal(data, "words"));
behaviour(
  "its errors are known by their kind",
  async (api) => {
    const kinds = async (call) => {
      const error = await call.then(assert.fail, (reason) => reason);
      return [isKyError, isHTTPError, isNetworkError, isTimeoutError, (it) => it instanceof HTTPError].map((is) => is(error));
    };
    const once = { retry: 0 };
    return [await kinds(api.get("fail/404", once)), await kinds(api.get("cut/0", once)), await kinds(api.get("hang", { timeout: 30 }))];
  },
  ({ value }) => {
    assert.deepEqual(value, [[1, 1, 0, 0, 1], [1, 0, 1, 0, 0], [1, 0, 0, 1, 0]].map((row) => row.map(Boolean)));
  },
);
behaviour(
  "throwHttpErrors: none, or some",
  async (api) => {
    const quiet = await api.get("fail/503", { throwHttpErrors: false, retry: quick });
    const some = { throwHttpErrors: (status) => status !== 404 };
    const missing = await api.get("fail/404", some);
    return [quiet.status, missing.status, (await outcome(() => api.get("fail/400", some))).name];
  },
  ({ value }) => assert.deepEqual(value, [503, 404, "HTTPError"]),
);
behaviour(
  "each way to read an answer",
  async (api) => {
    const [text, bytes, blob] = [api.get("text/200").text(), api.get("text/200").arrayBuffer(), api.get("text/200").blob()];
    const [buffer, { size, type }] = [await bytes, await blob];
    return [await text, buffer.byteLength, size, type];
  },
  ({ value }) => assert.deepEqual(value, ["words", 5, 5, "text/plain"]),
);
behaviour("a 204 has no JSON", (api) => api.get("empty").json(), () => {});
behaviour(
  "parseJson reads it",
  (api) => api.get("echo", { parseJson: (text, { response }) => [JSON.parse(text).url, response.status] }).json(),
  ({ value }) => assert.deepEqual(value, ["/echo", 200]),
);
behaviour(
  "a schema checks it",
  async (api) => {
    const schema = (validate) => ({ "~standard": { version: 1, vendor: "test", validate } });
    const passed = await api.get("echo").json(schema(({ url }) => ({ value: url })));
    const failed = await outcome(() => api.get("echo").json(schema(() => ({ issues: [{ message: "never" }] }))));
    return [passed, failed.name];
  },
  ({ value }) => assert.deepEqual(value, ["/echo", "SchemaValidationError"]),
);
behaviour(
  "onDownloadProgress",
  async (api) => {
    const told = [];
    await api.get("text/200", { onDownloadProgress: ({ transferredBytes }) => told.push(transferredBytes) }).text();
    return told.at(-1);
  },
  ({ value }) => assert.equal(value, 5),
);
behaviour(
  "onUploadProgress",
  async (api) => {
    const told = [];
    const onUploadProgress = ({ transferredBytes }) => told.push(transferredBytes);
    const { body } = await api.post("echo", { body: "some text", onUploadProgress }).json();
    return [body, told.at(-1)];
  },
  ({ value }) => assert.deepEqual(value, ["some text", 9]),
);

function form() {
  const data = new FormData();
  data.set("field", "value");
  data.set("file", new Blob(["content"]), "name.txt");
  return data;
}

const run = async (to, fetch, call) => {
  Object.assign(to, { received: [], refused: 0, hung: () => {} });
  to.failures.clear();
  const api = ky.create({ fetch, baseUrl: `${to.url}/` });
  const found = await outcome(() => call(api, to));
  return { ...found, received: to.received };
};

for (const { name, call, expected, sendsNothing } of behaviours) {
  test(`ky: ${name}`, async (t) => {
    const to = await service(t);
    const plain = await run(to, fetch, call);
    expected(plain, to);

    const session = signedIn(t, to);
    await session.getAccessToken();
    assert.deepEqual(await run(to, session.fetch, call), plain, "by a session");
    assert.equal(to.refused, 0);

    to.good = "revoked";
    assert.deepEqual(await run(to, session.fetch, call), plain, "by a session whose token was revoked");
    assert.ok(sendsNothing || to.refused >= 1);
    assert.equal(session.stats.outcomes.committed, sendsNothing ? 0 : 1);
  });
}

test("ky: hooks and retries see nothing of a 401 that the session healed", async (t) => {
  const to = await service(t);
  const session = signedIn(t, to);
  await session.getAccessToken();
  to.good = "revoked";
  const seen = [];
  const afterResponse = [({ response }) => void seen.push(response.status)];
  const beforeRetry = [({ error }) => void seen.push(error.name)];
  const api = ky.create({ fetch: session.fetch, baseUrl: `${to.url}/`, hooks: { afterResponse, beforeRetry } });
  await Promise.all([api.get("echo"), api.post("echo", { json: {} })]);
  assert.deepEqual(seen, [200, 200]);
  assert.equal(session.stats.outcomes.committed, 1);
});
