import assert from "node:assert/strict";
import { test } from "node:test";

import "./dom.mjs";

import { compile } from "svelte/compiler";

import { sessionStore } from "everfresh/svelte";

import { bundled } from "./bundled.mjs";
import { active, scriptedSession, signedOut } from "./scripted-session.mjs";

const App = `<script>
  import { sessionState, sessionStore, setSessionContext } from "everfresh/svelte";
  import Child from "./Child.svelte";
  const { session } = $props();
  setSessionContext(session);
  const state = sessionState(session);
  const store = sessionStore(session);
</script>
<p>{state.current.status} {$store.status} <Child /></p>`;

const Child = `<script>
  import { getSessionContext, sessionState } from "everfresh/svelte";
  const state = sessionState(getSessionContext());
</script>{state.current.subject}`;

const page = {
  name: "svelte",
  setup(build) {
    const sources = { "./App.svelte": App, "./Child.svelte": Child };
    build.onResolve({ filter: /\.svelte$/ }, ({ path, resolveDir }) => ({
      path, namespace: "svelte", pluginData: resolveDir,
    }));
    build.onLoad({ filter: /.*/, namespace: "svelte" }, ({ path, pluginData }) => {
      const { js } = compile(sources[path], { generate: "client", dev: true, filename: path.slice(2) });
      return { contents: js.code, resolveDir: pluginData };
    });
  },
};

test("a component follows the snapshot, as state and as a store, and lets go", async (t) => {
  const { App, mount, unmount, flushSync } = await bundled(
    t,
    `export { default as App } from "./App.svelte"; export { mount, unmount, flushSync } from "svelte";`,
    [page],
  );
  const session = scriptedSession();
  const target = document.createElement("div");
  const app = mount(App, { target, props: { session } });
  flushSync();
  assert.equal(target.textContent, "unknown unknown ");
  session.set(active);
  flushSync();
  assert.equal(target.textContent, "active active ana");
  assert.ok(session.subscribers.size > 0);
  await unmount(app);
  await new Promise((done) => setTimeout(done));
  assert.equal(session.subscribers.size, 0);
});

test("outside of an effect the state is read without subscribing", async (t) => {
  const { sessionState } = await bundled(t, `export { sessionState } from "everfresh/svelte";`);
  const session = scriptedSession();
  const state = sessionState(session);
  session.set(active);
  assert.equal(state.current.status, "active");
  assert.equal(session.subscribers.size, 0);
});

test("a store calls back at once", () => {
  const session = scriptedSession();
  const seen = [];
  const stop = sessionStore(session).subscribe(({ status }) => seen.push(status));
  session.set(active);
  stop();
  session.set(signedOut());
  assert.deepEqual(seen, ["unknown", "active"]);
});

test("a disposed session does not end the page", (t) => {
  const session = scriptedSession();
  session.set(active);
  session.dispose();
  const warned = t.mock.method(console, "warn", () => {});
  const seen = [];
  sessionStore(session).subscribe(({ status }) => seen.push(status))();
  assert.deepEqual(seen, ["active"]);
  assert.match(warned.mock.calls[0].arguments[0], /a disposed session is in use/);
});

test("a store tells a change that its first callback makes", () => {
  const session = scriptedSession();
  const seen = [];
  const stop = sessionStore(session).subscribe(({ status }) => {
    seen.push(status);
    if (status === "unknown") session.set(active);
  });
  stop();
  assert.deepEqual(seen, ["unknown", "active"]);
  assert.equal(session.subscribers.size, 0);
});

test("load waits, restores once, and goes to the login page with address and reason", async (t) => {
  const { requireSession } = await bundled(t, `export { requireSession } from "everfresh/svelte";`);
  const session = scriptedSession();
  const redirect = (status, location) => {
    throw { status, location };
  };
  const url = new URL("https://app.test/orders?page=2#last");
  await assert.rejects(requireSession(session, url, { redirect }), {
    status: 307,
    location: "/login?redirect=%2Forders%3Fpage%3D2%23last&reason=none",
  });
  assert.deepEqual(session.calls, ["restore"]);
  session.set(active);
  assert.equal((await requireSession(session, url, { redirect })).subject, "ana");
});
