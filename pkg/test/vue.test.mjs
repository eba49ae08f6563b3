import assert from "node:assert/strict";
import { test } from "node:test";

import "./dom.mjs";

import { createApp, createSSRApp, effectScope, h, nextTick, watchEffect } from "vue";
import { renderToString } from "vue/server-renderer";

import { createSessionPlugin, sessionGuard, useSession, useSessionClient } from "everfresh/vue";

import { active, scriptedSession, signedOut } from "./scripted-session.mjs";

const Status = {
  setup() {
    const session = useSession();
    return () => h("p", session.value.status);
  },
};

test("a component follows the snapshot, and lets go when it is unmounted", async () => {
  const session = scriptedSession();
  const app = createApp(Status).use(createSessionPlugin(session));
  const root = document.createElement("div");
  app.mount(root);
  assert.equal(root.textContent, "unknown");
  session.set(active);
  await nextTick();
  assert.equal(root.textContent, "active");
  app.unmount();
  assert.equal(session.subscribers.size, 0);
});

test("outside components a session is passed, and the scope ends it", async () => {
  const session = scriptedSession();
  const seen = [];
  const scope = effectScope();
  scope.run(() => {
    const snapshot = useSession(session);
    watchEffect(() => seen.push(snapshot.value.status), { flush: "sync" });
  });
  session.set(active);
  scope.stop();
  session.set(signedOut());
  assert.deepEqual(seen, ["unknown", "active"]);
});

test("a disposed session does not end the page", (t) => {
  const session = scriptedSession();
  session.set(active);
  session.dispose();
  const warned = t.mock.method(console, "warn", () => {});
  const scope = effectScope();
  assert.equal(scope.run(() => useSession(session)).value.status, "active");
  scope.stop();
  assert.match(warned.mock.calls[0].arguments[0], /a disposed session is in use/);
});

test("the session that is provided is the very same object", () => {
  const session = scriptedSession();
  let found;
  const app = createApp({ setup: () => ((found = useSessionClient()), () => null) });
  app.use(createSessionPlugin(session)).mount(document.createElement("div"));
  assert.equal(found, session);
});

test("a page that a server rendered is hydrated without a mismatch, and follows then", async (t) => {
  const warned = t.mock.method(console, "warn", () => {});
  const complained = t.mock.method(console, "error", () => {});
  const session = scriptedSession();
  session.set(active);
  const page = () => createSSRApp(Status).use(createSessionPlugin(session, { hydrate: true }));
  const root = document.createElement("div");
  root.innerHTML = await renderToString(page());
  assert.equal(root.textContent, "unknown");
  page().mount(root);
  await nextTick();
  assert.equal(root.textContent, "active");
  assert.equal(warned.mock.callCount() + complained.mock.callCount(), 0);
});

test("a server subscribes to nothing, and its guard lets everybody pass", async (t) => {
  const session = scriptedSession();
  session.set(active);
  const before = globalThis.document;
  globalThis.document = undefined;
  t.after(() => (globalThis.document = before));
  const html = await renderToString(createSSRApp(Status).use(createSessionPlugin(session)));
  assert.equal(html, "<p>unknown</p>");
  assert.equal(session.subscribers.size, 0);
  assert.equal(await sessionGuard(session, { login: "/login" })({ fullPath: "/a" }), true);
  assert.deepEqual(session.calls, []);
});

test("the guard waits for the restore, restores once, and keeps the address and the reason", async () => {
  const session = scriptedSession();
  const guard = sessionGuard(session, { login: "/login" });
  const [one, two] = await Promise.all([guard({ fullPath: "/a?b=1#c" }), guard({ fullPath: "/d" })]);
  assert.deepEqual(one, { path: "/login", query: { redirect: "/a?b=1#c", reason: "none" } });
  assert.equal(two.query.redirect, "/d");
  assert.deepEqual(session.calls, ["restore"]);
  session.set({ ...active, status: "stale" });
  assert.equal(await guard({ fullPath: "/a" }), true);
});

test("a function says where to go else", async () => {
  const session = scriptedSession();
  session.set(signedOut("idle"));
  const guard = sessionGuard(session, { login: (to, { reason }) => `/bye?${reason}&${to.fullPath}` });
  assert.equal(await guard({ fullPath: "/a" }), "/bye?idle&/a");
});
