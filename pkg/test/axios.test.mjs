import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import axios from "axios";
import ky from "ky";

import { createSession } from "everfresh";
import { attachSession } from "everfresh/axios";
import { sessionOptions } from "everfresh/ky";

import { lockManager, put } from "./page.mjs";
import { jwt } from "./world.mjs";

/** A real API and token endpoint, and a signed-in session. Tokens are good until the test says no. */
async function signedIn(t) {
  if (!globalThis.navigator?.locks) put(t, { navigator: { locks: lockManager() } });
  let issued = 0;
  const made = { requests: [], refreshes: 0, current: undefined, foreign: [] };
  const issue = () => {
    issued += 1;
    made.current = jwt({ sub: "ana", exp: Math.floor(Date.now() / 1_000) + 300, jti: String(issued) });
    return { access_token: made.current, refresh_token: `r${issued}`, expires_in: 300 };
  };
  const listen = (answer) =>
    new Promise((ready) => {
      const server = createServer(async (request, response) => {
        let body = "";
        for await (const chunk of request) body += chunk;
        answer({ ...request, headers: request.headers, url: request.url, method: request.method, body }, response);
      });
      t.after(() => (server.closeAllConnections(), server.close()));
      server.listen(0, "127.0.0.1", () => ready(`http://127.0.0.1:${server.address().port}`));
    });
  const json = (response, status, value) =>
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
  made.api = await listen(({ url, method, headers, body }, response) => {
    if (url === "/token") {
      made.refreshes += 1;
      return json(response, 200, issue());
    }
    const token = headers.authorization?.replace("Bearer ", "");
    made.requests.push({ url, method, token, body });
    if (url.startsWith("/open")) return json(response, 200, {});
    if (url.startsWith("/never") || token !== made.current) return json(response, 401, {});
    json(response, 200, { url, method, body });
  });
  made.other = await listen(({ headers }, response) => {
    made.foreign.push(headers.authorization);
    json(response, 401, {});
  });
  made.session = createSession({
    refresh: `${made.api}/token`,
    name: `axios-${t.name}`,
    origins: [made.api],
  });
  t.after(() => made.session.dispose());
  made.session.start(issue());
  await made.session.getAccessToken();
  made.expire = () => (made.current = "another");
  return made;
}

for (const transport of ["fetch", "xhr"]) {
  test(`axios over ${transport}: a 401 is healed by one shared refresh, bodies are sent again`, async (t) => {
    const w = await signedIn(t);
    const client = axios.create({ baseURL: w.api });
    attachSession(client, w.session, { transport });
    w.expire();
    const posts = [1, 2, 3].map((n) => client.post("/orders", { n }, { params: { q: "a b" } }));
    const answers = await Promise.all(posts);
    assert.deepEqual(answers.map(({ data }) => JSON.parse(data.body)), [{ n: 1 }, { n: 2 }, { n: 3 }]);
    assert.equal(w.refreshes, 1);
    assert.ok(w.requests.length <= 6);
  });

  test(`axios over ${transport}: a second 401 is the caller's, once`, async (t) => {
    const w = await signedIn(t);
    const client = axios.create({ baseURL: w.api });
    attachSession(client, w.session, { transport });
    await assert.rejects(client.get("/never"), (error) => error.response.status === 401);
    assert.equal(w.requests.length, 2);
    assert.equal(w.refreshes, 1);
    assert.equal(w.session.snapshot.status, "active");
  });

  test(`axios over ${transport}: foreign origins and own headers are left alone`, async (t) => {
    const w = await signedIn(t);
    const client = axios.create();
    attachSession(client, w.session, { transport });
    await assert.rejects(client.get(w.other), (error) => error.response.status === 401);
    assert.deepEqual(w.foreign, [undefined]);
    await client.get(`${w.api}/open`, { headers: { Authorization: "Basic eA==" } });
    assert.equal(w.requests.at(-1).token, "Basic eA==");
    assert.equal(w.refreshes, 0);
  });

  test(`axios over ${transport}: attached twice it sends once, detached it is as before`, async (t) => {
    const w = await signedIn(t);
    const client = axios.create({ baseURL: w.api });
    const before = client.defaults.adapter;
    const first = attachSession(client, w.session, { transport });
    const second = attachSession(client, w.session, { transport });
    first();
    w.expire();
    await client.get("/orders");
    assert.deepEqual([w.refreshes, w.requests.length], [1, 2]);
    second();
    assert.equal(client.defaults.adapter, before);
    await assert.rejects(client.get("/orders"), (error) => error.response.status === 401);
    assert.equal(w.requests.at(-1).token, undefined);
  });

  test(`axios over ${transport}: the address that is sent to decides, whatever an interceptor makes of it`, async (t) => {
    const w = await signedIn(t);
    const client = axios.create({ baseURL: w.api });
    const changes = [
      { baseURL: w.other },
      { baseURL: undefined, url: `${w.other}/x`, allowAbsoluteUrls: false },
      { baseURL: "http://127.0.0.1:1", url: `${w.api}/orders` },
    ];
    // Added first, it runs last.
    client.interceptors.request.use((config) => Object.assign(config, changes.shift()));
    attachSession(client, w.session, { transport });
    await assert.rejects(client.get("/x"), (error) => error.response.status === 401);
    await assert.rejects(client.get("/x"), (error) => error.response.status === 401);
    assert.deepEqual(w.foreign, [undefined, undefined]);
    assert.equal((await client.get("/x")).status, 200);
    assert.equal(w.refreshes, 0);
  });

  test(`axios over ${transport}: a request that is sent again elsewhere takes no token along`, async (t) => {
    const w = await signedIn(t);
    const client = axios.create({ baseURL: w.api });
    attachSession(client, w.session, { transport });
    const { config } = await client.get("/orders");
    const failed = await client.get("/never").catch((error) => error.config);
    for (const sent of [config, failed]) {
      await assert.rejects(client.request({ ...sent, baseURL: w.other }), (error) => error.response.status === 401);
    }
    assert.deepEqual(w.foreign, [undefined, undefined]);
    await client.request(config);
    assert.equal(w.requests.at(-1).token, w.current);
  });

  test(`axios over ${transport}: signed out, requests go without a token`, async (t) => {
    const w = await signedIn(t);
    const client = axios.create({ baseURL: w.api });
    attachSession(client, w.session, { transport });
    await w.session.signOut();
    await client.get("/open");
    assert.equal(w.requests.at(-1).token, undefined);
  });
}

test("ky: a 401 is healed by one shared refresh, bodies are sent again", async (t) => {
  const w = await signedIn(t);
  const api = ky.extend(sessionOptions(w.session));
  w.expire();
  const posts = [1, 2, 3].map((n) => api.post(`${w.api}/orders`, { json: { n } }).json());
  const answers = await Promise.all(posts);
  assert.deepEqual(answers.map(({ body }) => JSON.parse(body)), [{ n: 1 }, { n: 2 }, { n: 3 }]);
  assert.equal(w.refreshes, 1);
});

test("ky: a final 401 is not tried again, whatever its retries are", async (t) => {
  const w = await signedIn(t);
  const api = ky.extend({ retry: { limit: 3, statusCodes: [401, 503], backoffLimit: 1 } });
  const guarded = api.extend(sessionOptions(w.session));
  await assert.rejects(guarded.get(`${w.api}/never`), (error) => error.response.status === 401);
  assert.equal(w.requests.length, 2);
  assert.equal(w.refreshes, 1);
});

test("axios over xhr: a request that waits for a token can be given up", async (t) => {
  const w = await signedIn(t);
  const never = () => new Promise(() => {});
  const given = (abort, session) => {
    const client = axios.create({ baseURL: w.api });
    attachSession(client, session, { transport: "xhr" });
    const { CancelToken } = axios;
    const [controller, source] = [new AbortController(), CancelToken.source()];
    const way = { signal: { signal: controller.signal }, cancelToken: { cancelToken: source.token } }[abort];
    const sent = client.get("/orders", way);
    return [sent, () => (controller.abort(), source.cancel())];
  };
  for (const abort of ["signal", "cancelToken"]) {
    const [waits, stop] = given(abort, { authorize: never });
    stop();
    await assert.rejects(waits, { code: "ERR_CANCELED" }, abort);
    assert.equal(w.requests.length, 0);
    let giveUp;
    const reauthorize = () => (giveUp(), never());
    const [heals, stopHealing] = given(abort, { authorize: async () => "Bearer old", reauthorize });
    giveUp = stopHealing;
    await assert.rejects(heals, { code: "ERR_CANCELED" }, abort);
    assert.equal(w.requests.splice(0).length, 1);
  }
});

test("axios over xhr: a cancel token that many requests share keeps nothing of them", async (t) => {
  const w = await signedIn(t);
  const client = axios.create({ baseURL: w.api });
  attachSession(client, w.session, { transport: "xhr" });
  const { token } = axios.CancelToken.source();
  w.expire();
  for (let i = 0; i < 3; i += 1) await client.get("/orders", { cancelToken: token });
  assert.equal(token._listeners?.length ?? 0, 0);
});
