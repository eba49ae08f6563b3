// The blocks of docs/recipes.md, run against a kit.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { createTestKit } from "everfresh/testing";

import { bundled } from "./bundled.mjs";
import { put } from "./page.mjs";

const text = readFileSync(new URL("../../docs/recipes.md", import.meta.url), "utf8");
const blocks = new Map(
  [...text.matchAll(/```tsx?\n\/\/ (\S+)\n(.*?)```/gs)].map(([, name, code]) => [name, code]),
);

/** What modules asked to be done before they are replaced. */
const hot = [];
globalThis.hotOfRecipe = { dispose: (act) => hot.push(act) };

const dist = (name) => fileURLToPath(new URL(`../dist/${name}`, import.meta.url));

/** A recipe's exports, its session being that of a signed-in kit; `api` answers what carries a good token. */
async function recipe(t, name, { api, more = "" } = {}) {
  const answer = (input, init) => (init ? new Request(new URL(input, "https://app.test/"), init) : input);
  const kit = createTestKit({
    idleSeconds: Infinity,
    fetch: async (input, init) => {
      const request = answer(input instanceof Request ? input.clone() : input, init ?? {});
      const probe = request.clone();
      const response = await kit.server.fetch(input, init);
      return api && response.ok && request.url.includes("/api/") ? api(probe) : response;
    },
  });
  kit.session.start(kit.server.signIn());
  await kit.settle();
  globalThis.kitOfRecipe = kit;
  const sources = {
    name: "sources",
    setup(build) {
      build.onResolve({ filter: /^(\.\/session\.ts|recipe:.*)$/ }, ({ path }) => ({ path, namespace: "recipe" }));
      build.onResolve({ filter: /^everfresh$/ }, () => ({ path: dist("inline.js") }));
      build.onLoad({ filter: /.*/, namespace: "recipe" }, ({ path }) =>
        path === "./session.ts"
          ? { contents: "export const { session } = globalThis.kitOfRecipe;" }
          : { contents: blocks.get(path.slice(7)), loader: path.endsWith("x") ? "tsx" : "ts", resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
      );
    },
  };
  const again = () => bundled(t, `export * from "recipe:${name}"; ${more}`, [sources]);
  const exports = await again();
  t.after(() => {
    delete globalThis.kitOfRecipe;
    kit.reset();
  });
  return { kit, again, ...exports };
}

test("TanStack Query: a 401 is healed, and the next user sees nothing of the last", async (t) => {
  const { kit, queryClient, ordersQuery } = await recipe(t, "tanstack-query.ts");
  kit.server.expire();
  const data = await queryClient.fetchQuery(ordersQuery);
  assert.equal(data.path, "/api/orders");
  assert.equal(kit.server.refreshes.length, 1);
  assert.ok(queryClient.getQueryData(["orders"]));
  await kit.session.signOut();
  assert.equal(queryClient.getQueryData(["orders"]), undefined);
  await assert.rejects(queryClient.fetchQuery(ordersQuery), /status 401/);
  queryClient.clear();
});

const graphql = () => Response.json({ data: { me: { __typename: "User", id: "1", name: "ana" } } });

test("Apollo Client: a 401 is healed, and the store is emptied", async (t) => {
  const { kit, client, gql } = await recipe(t, "apollo.ts", {
    api: graphql,
    more: `export { gql } from "@apollo/client";`,
  });
  kit.server.expire();
  const query = gql`query Me { me { id name } }`;
  const { data } = await client.query({ query });
  assert.equal(data.me.name, "ana");
  assert.equal(kit.server.refreshes.length, 1);
  await kit.session.signOut();
  await kit.settle();
  assert.deepEqual(client.extract(), {});
  client.stop();
});

test("urql: a 401 is healed, and a new user gets a new client", async (t) => {
  const made = await recipe(t, "urql.ts", { api: graphql, more: `export { gql } from "@urql/core";` });
  const query = made.gql`query Me { me { id name } }`;
  made.kit.server.expire();
  const { data, error } = await made.client.query(query, {}).toPromise();
  assert.equal(error, undefined);
  assert.equal(data.me.name, "ana");
  assert.equal(made.kit.server.refreshes.length, 1);
});

test("openapi-fetch: a 401 is healed", async (t) => {
  const { kit, api } = await recipe(t, "openapi-fetch.ts");
  kit.server.expire();
  const { data, response } = await api.GET("/api/orders", { params: { query: { page: 2 } } });
  assert.equal(response.status, 200);
  assert.equal(data.path, "/api/orders?page=2");
  assert.equal(kit.server.refreshes.length, 1);
});

test("tRPC: a 401 is healed", async (t) => {
  let handle;
  const made = await recipe(t, "trpc.ts", {
    api: (request) => handle(request),
    more: `export { fetchRequestHandler } from "@trpc/server/adapters/fetch";`,
  });
  handle = (req) => made.fetchRequestHandler({ endpoint: "/api/trpc", req, router: made.router });
  made.kit.server.expire();
  assert.equal(await made.trpc.hello.query(), "hello");
  assert.equal(made.kit.server.refreshes.length, 1);
});

/** The sockets that a recipe opens from now on. */
function socketsOf(t) {
  const sockets = [];
  put(t, {
    WebSocket: class {
      sent = [];
      closed = false;
      constructor(url) {
        this.url = url;
        sockets.push(this);
      }
      send(text) {
        this.sent.push(JSON.parse(text));
      }
      close() {
        this.closed = true;
        this.onclose?.();
      }
    },
  });
  return sockets;
}

test("WebSocket: the token is the first message, each connection has a good one, sign-out closes", async (t) => {
  const { kit, connect } = await recipe(t, "websocket.ts");
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const sockets = socketsOf(t);
  const heard = [];
  const stop = connect("wss://app.test/live", (message) => heard.push(message));
  await kit.settle();
  sockets[0].onopen();
  sockets[0].onmessage({ data: '{"n":1}' });
  assert.deepEqual(heard, [{ n: 1 }]);
  const [{ token }] = sockets[0].sent;
  assert.ok(!sockets[0].url.includes(token));
  await kit.clock.advance(400);
  sockets[0].onclose();
  t.mock.timers.tick(2_000);
  await kit.settle();
  sockets[1].onopen();
  assert.notEqual(sockets[1].sent[0].token, token);
  await kit.session.signOut();
  assert.ok(sockets[1].closed);
  t.mock.timers.tick(60_000);
  await kit.settle();
  assert.equal(sockets.length, 2);
  kit.session.start(kit.server.signIn());
  await kit.settle();
  assert.equal(sockets.length, 3);
  stop();
  assert.ok(sockets[2].closed);
});

test("WebSocket: connected while a restore is running, there is one socket with a token, and sign-out closes it", async (t) => {
  const { kit, again } = await recipe(t, "websocket.ts");
  const sockets = socketsOf(t);
  const { session } = kit.tabs.open();
  globalThis.kitOfRecipe = { session };
  const { connect } = await again();
  void session.restore();
  const heard = [];
  const stop = connect("wss://app.test/live", (message) => heard.push(message));
  await kit.clock.advance(5);
  const open = () => sockets.filter(({ closed }) => !closed);
  assert.equal(open().length, 1);
  for (const socket of open()) socket.onopen();
  assert.deepEqual(open().map(({ sent }) => sent.length), [1]);
  const [last] = open();
  await session.signOut();
  assert.equal(open().length, 0);
  last.onmessage({ data: '{"n":1}' });
  assert.deepEqual(heard, []);
  stop();
});

test("server-sent events go on after the last one that was seen, with a good token", async (t) => {
  const asked = [];
  const { kit, follow } = await recipe(t, "event-stream.ts", {
    api: (request) => {
      asked.push(request.headers.get("Last-Event-ID"));
      const n = asked.length;
      const stream = `id: ${n}\ndata: a${n}\ndata: b\n\nevent: ping\ndata: p\n\n: comment\n\nid: cut`;
      return new Response(stream, { headers: { "Content-Type": "text/event-stream" } });
    },
  });
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const heard = [];
  const controller = new AbortController();
  const followed = follow("/api/events", (event) => heard.push(event), controller.signal);
  await kit.settle();
  assert.deepEqual(heard, [
    { id: "1", type: "message", data: "a1\nb" },
    { id: "1", type: "ping", data: "p" },
  ]);
  kit.server.expire();
  t.mock.timers.tick(1_000);
  await kit.settle();
  assert.deepEqual(asked, [null, "1"]);
  assert.equal(kit.server.refreshes.length, 1);
  controller.abort();
  t.mock.timers.tick(60_000);
  await followed;
});

test("Next.js: the server renders what it knows, and shares nothing", async (t) => {
  const { kit, Providers, html } = await recipe(t, "providers.tsx", {
    more: `
      import { createElement } from "react";
      import { renderToString } from "react-dom/server.edge";
      import { useSession } from "everfresh/react";
      import { Providers as P } from "recipe:providers.tsx";
      const Who = () => String(useSession(({ subject }) => subject));
      export const html = (initial) => renderToString(createElement(P, { initial }, createElement(Who)));`,
  });
  assert.equal(typeof Providers, "function");
  assert.equal(html({ status: "active", subject: "bob" }), "bob");
  assert.equal(html(undefined), "null");
  assert.equal(kit.session.snapshot.subject, "ana");
});

test("hot reload: a module that is evaluated anew listens once", async (t) => {
  const said = t.mock.method(console, "info", () => {});
  const kit = await recipe(t, "hot-reload.ts");
  for (let i = 0; i < 3; i += 1) {
    for (const act of hot.splice(0)) act();
    await kit.again();
  }
  await kit.kit.session.signOut();
  assert.deepEqual(said.mock.calls.map((call) => call.arguments), [["signed out: signed-out"]]);
});

test("service worker: requests to the own API carry the token, others are left to the browser", async (t) => {
  const listeners = [];
  put(t, {
    location: new URL("https://app.test/"),
    addEventListener: (type, listener) => listeners.push([type, listener]),
  });
  const { kit } = await recipe(t, "service-worker.ts");
  const [[type, listener]] = listeners;
  assert.equal(type, "fetch");
  const ask = (url) => {
    let answer;
    listener({ request: new Request(url), respondWith: (response) => (answer = response) });
    return answer;
  };
  kit.server.expire();
  assert.equal((await ask("https://app.test/api/me")).status, 200);
  assert.equal(ask("https://app.test/logo.svg"), undefined);
  assert.equal(ask("https://other.test/api/me"), undefined);
});

test("desktop: tokens go to the server that was named, and not to the page's own origin", async (t) => {
  const { kit, session } = await recipe(t, "desktop.ts");
  t.after(() => session.dispose());
  const sent = [];
  put(t, {
    fetch: async (url, init) => {
      sent.push([String(url), new Headers(init?.headers).get("Authorization")]);
      return new Response("{}");
    },
  });
  const token = kit.token({}, { ttl: 1e7 });
  session.start(token);
  await session.fetch("https://api.example.com/orders");
  await session.fetch("https://other.example/");
  assert.deepEqual(sent, [
    ["https://api.example.com/orders", `Bearer ${token}`],
    ["https://other.example/", null],
  ]);
});

test("every block is named, so every block is run", () => {
  assert.equal(blocks.size, [...text.matchAll(/```tsx?\n/g)].length);
  const tested = readFileSync(new URL(import.meta.url), "utf8");
  for (const name of blocks.keys()) assert.ok(tested.includes(`"${name}"`), name);
});
