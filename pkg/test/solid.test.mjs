import assert from "node:assert/strict";
import { test } from "node:test";

import "./dom.mjs";

import * as server from "everfresh/solid";

import { bundled } from "./bundled.mjs";
import { active, scriptedSession } from "./scripted-session.mjs";

const page = (t) =>
  bundled(
    t,
    `import { createComponent, createRenderEffect, createRoot } from "solid-js";
     import { SessionProvider, useSession, useSessionClient } from "everfresh/solid";
     export function render(session, seen) {
       return createRoot((dispose) => {
         createComponent(SessionProvider, {
           session,
           get children() {
             const snapshot = useSession();
             seen.client = useSessionClient();
             createRenderEffect(() => seen.push(snapshot().status));
             return null;
           },
         });
         return dispose;
       });
     }
     export { useSession, useSessionClient, createRoot };`,
  );

test("an effect follows the snapshot, and the owner lets go", async (t) => {
  const { render } = await page(t);
  const session = scriptedSession();
  const seen = [];
  const dispose = render(session, seen);
  session.set(active);
  assert.equal(seen.client, session);
  assert.deepEqual([...seen], ["unknown", "active"]);
  dispose();
  assert.equal(session.subscribers.size, 0);
});

test("a disposed session does not end the page", async (t) => {
  const { render } = await page(t);
  const session = scriptedSession();
  session.set(active);
  session.dispose();
  const warned = t.mock.method(console, "warn", () => {});
  const seen = [];
  render(session, seen)();
  assert.deepEqual([...seen], ["active"]);
  assert.match(warned.mock.calls[0].arguments[0], /a disposed session is in use/);
});

test("outside components a session is passed; without one the error names the remedy", async (t) => {
  const { useSession, useSessionClient, createRoot } = await page(t);
  const session = scriptedSession();
  createRoot((dispose) => {
    const snapshot = useSession(session);
    session.set(active);
    assert.equal(snapshot().status, "active");
    dispose();
  });
  assert.throws(() => useSessionClient(), /SessionProvider session=/);
});

test("a server subscribes to nothing", () => {
  const session = scriptedSession();
  session.set(active);
  assert.equal(server.useSession(session)().status, "unknown");
  assert.equal(session.subscribers.size, 0);
});
