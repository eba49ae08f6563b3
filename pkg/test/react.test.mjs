import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import "./dom.mjs";

import * as React from "react";
import { createRoot, hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";

import {
  RequireSession,
  SessionProvider,
  useRestored,
  useSession,
  useSessionClient,
  useSessionEvent,
  useSessionWarning,
} from "everfresh/react";

import { active, scriptedSession, signedOut } from "./scripted-session.mjs";

globalThis.IS_REACT_ACT_ENVIRONMENT = true;
const { act, createElement: h, StrictMode, Suspense } = React;

/** Renders in StrictMode below a provider; `console.error` fails the test. */
async function mount(t, session, element, props = {}) {
  t.mock.method(console, "error", (...words) => assert.fail(words.map((word) => `${word} ${word?.cause ?? ""}`).join(" ")));
  const container = document.createElement("div");
  const root = createRoot(container);
  const tree = (shown) => h(StrictMode, null, h(SessionProvider, { session, ...props }, shown));
  await act(async () => root.render(tree(element)));
  t.after(() => act(() => root.unmount()));
  return {
    get text() {
      return container.textContent;
    },
    render: (shown) => act(async () => root.render(tree(shown))),
    unmount: () => act(() => root.unmount()),
  };
}

test("a component follows the snapshot, and lets go when it is unmounted", async (t) => {
  const session = scriptedSession();
  const Status = () => useSession().status;
  const page = await mount(t, session, h(Status));
  assert.equal(page.text, "unknown");
  await act(() => session.set(active));
  assert.equal(page.text, "active");
  assert.equal(session.subscribers.size, 1);
  await page.unmount();
  assert.equal(session.subscribers.size, 0);
});

test("a selector renders for what it selects only, even if it makes objects", async (t) => {
  const session = scriptedSession();
  let renders = 0;
  const Name = () => {
    renders += 1;
    const { name } = useSession(
      (snapshot) => ({ name: snapshot.subject ?? "nobody" }),
      (a, b) => a.name === b.name,
    );
    return name;
  };
  const page = await mount(t, session, h(Name));
  await act(() => session.set(active));
  assert.equal(page.text, "ana");
  const before = renders;
  for (let secondsLeft = 59; secondsLeft > 0; secondsLeft -= 1) {
    await act(() => session.set({ ...active, status: "warning", secondsLeft }));
  }
  assert.equal(renders, before);
});

test("a newer selector is used at once, and objects without isEqual do not loop", async (t) => {
  const session = scriptedSession();
  session.set(active);
  const Field = ({ name }) => useSession((snapshot) => ({ value: String(snapshot[name]) })).value;
  const page = await mount(t, session, h(Field, { name: "subject" }));
  assert.equal(page.text, "ana");
  await page.render(h(Field, { name: "status" }));
  assert.equal(page.text, "active");
});

test("every hook takes a session, without a provider or beside it", async (t) => {
  const [one, two] = [scriptedSession(), scriptedSession()];
  two.set({ ...active, subject: "bob" });
  const Who = () => `${useSession().status} ${useSession(two).subject} ${useSession((s) => s.status, Object.is, two)}`;
  const page = await mount(t, one, h(Who));
  assert.equal(page.text, "unknown bob active");
});

test("without a session anywhere the error names the remedy", () => {
  const Client = () => useSessionClient().snapshot.status;
  assert.throws(() => renderToString(h(Client)), /SessionProvider session=/);
});

test("an event is heard once in StrictMode, by the newest listener", async (t) => {
  const session = scriptedSession();
  const heard = [];
  const Listener = ({ name }) => {
    useSessionEvent("signed-out", ({ reason }) => heard.push(`${name} ${reason}`));
    return null;
  };
  const page = await mount(t, session, h(Listener, { name: "one" }));
  await page.render(h(Listener, { name: "two" }));
  session.emit("signed-out", { reason: "idle" });
  assert.deepEqual(heard, ["two idle"]);
  await page.unmount();
  assert.equal(session.listeners.size, 0);
});

test("a session that an effect disposes does not end the page", async (t) => {
  const session = scriptedSession();
  session.set(active);
  const warned = t.mock.method(console, "warn", () => {});
  const Careless = () => {
    React.useEffect(() => () => session.dispose(), []);
    useSessionEvent("signed-out", () => {});
    return useSession().status;
  };
  const page = await mount(t, session, h(Careless));
  assert.equal(page.text, "active");
  assert.match(warned.mock.calls[0].arguments[0], /do not dispose it in an effect/);
});

test("the warning counts down, and both answers reach the session", async (t) => {
  const session = scriptedSession();
  let answers;
  const Warning = () => {
    const { open, secondsLeft, ...rest } = useSessionWarning();
    answers = rest;
    return open ? `still there? ${secondsLeft}` : "fine";
  };
  const page = await mount(t, session, h(Warning));
  await act(() => session.set({ ...active, status: "warning", secondsLeft: 9 }));
  assert.equal(page.text, "still there? 9");
  const before = answers;
  await act(() => session.set({ ...active, status: "warning", secondsLeft: 8 }));
  assert.equal(answers.stay, before.stay);
  answers.stay();
  await answers.signOut();
  assert.deepEqual(session.calls, ["touch", "signOut"]);
});

test("a guarded page stays mounted while the token is replaced, and an end is told once", async (t) => {
  const session = scriptedSession();
  const ends = [];
  let mounts = 0;
  const Form = () => {
    React.useEffect(() => void (mounts += 1), []);
    return "form";
  };
  const page = await mount(
    t,
    session,
    h(
      RequireSession,
      { pending: "wait", fallback: "login", onSignedOut: ({ reason }) => ends.push(reason) },
      h(Form),
    ),
  );
  assert.equal(page.text, "wait");
  await act(() => session.set(active));
  const before = mounts;
  for (const status of ["stale", "warning", "active"]) await act(() => session.set({ ...active, status }));
  assert.equal(page.text, "form");
  assert.equal(mounts, before);
  await act(() => session.set(signedOut("idle")));
  await act(() => session.set({ ...signedOut("idle"), generation: 5 }));
  assert.equal(page.text, "login");
  assert.deepEqual(ends, ["idle"]);
  await act(() => session.set(active));
  await act(() => session.set(signedOut("revoked")));
  assert.deepEqual(ends, ["idle", "revoked"]);
});

test("every end is told, also of one that came and went in a batch, and of another session", async (t) => {
  const [one, two] = [scriptedSession(), scriptedSession()];
  one.set(signedOut("idle"));
  two.set(signedOut("revoked"));
  const ends = [];
  const guarded = (session, name) =>
    h(RequireSession, { session, fallback: "login", onSignedOut: ({ reason }) => ends.push(`${name} ${reason}`) });
  const page = await mount(t, scriptedSession(), guarded(one, "first"));
  assert.deepEqual(ends, ["first idle"]);
  await page.render(guarded(one, "second"));
  await act(() => {
    one.set(active);
    one.set(signedOut("max-age"));
  });
  assert.deepEqual(ends, ["first idle", "second max-age"]);
  await page.render(guarded(two, "third"));
  assert.deepEqual(ends, ["first idle", "second max-age", "third revoked"]);
  await page.unmount();
  assert.deepEqual([one.subscribers.size, two.subscribers.size], [0, 0]);
});

test("useRestored suspends for the first restore only, and restores once", async (t) => {
  const session = scriptedSession();
  let restored;
  session.restored = new Promise((resolve) => (restored = resolve));
  const fallbacks = [];
  const Fallback = () => void fallbacks.push(1) ?? "loading";
  const Status = () => useRestored().status;
  const page = await mount(t, session, h(Suspense, { fallback: h(Fallback) }, h(Status), h(Status)));
  assert.equal(page.text, "loading");
  await act(async () => restored());
  assert.equal(page.text, "signed-outsigned-out");
  const before = fallbacks.length;
  await act(() => session.set({ ...active, status: "stale" }));
  assert.equal(page.text, "stalestale");
  assert.equal(fallbacks.length, before);
  assert.deepEqual(session.calls, ["restore"]);
});

test("a load that failed reaches the error boundary, and is tried again by what is mounted later", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const session = scriptedSession();
  const { restore } = session;
  let loads = 0;
  session.restore = async () => {
    loads += 1;
    if (loads < 3) throw new Error("offline");
    return restore();
  };
  class Boundary extends React.Component {
    state = {};
    static getDerivedStateFromError = (error) => ({ error });
    render = () => this.state.error?.message ?? this.props.children;
  }
  const Status = () => useRestored(session).status;
  const shown = [];
  for (let visit = 1; visit <= 3; visit += 1) {
    const container = document.createElement("div");
    const root = createRoot(container, { onCaughtError() {} });
    const page = h(Suspense, { fallback: "loading" }, h(Status), h(Status));
    await act(async () => root.render(h(StrictMode, null, h(Boundary, null, page))));
    shown.push([container.textContent, loads]);
    await act(() => root.unmount());
    t.mock.timers.tick(1_000);
  }
  assert.deepEqual(shown, [["offline", 1], ["offline", 2], ["signed-outsigned-out", 3]]);
});

test("a page that a server rendered is hydrated without a mismatch", async (t) => {
  t.mock.method(console, "error", (...words) => assert.fail(words.map((word) => `${word} ${word?.cause ?? ""}`).join(" ")));
  const session = scriptedSession();
  session.set(active);
  const Status = () => h("p", null, useSession().status);
  const tree = h(SessionProvider, { session }, h(Status));
  const container = document.createElement("div");
  container.innerHTML = renderToString(tree);
  assert.equal(container.textContent, "unknown");
  assert.equal(session.subscribers.size, 0);
  const problems = [];
  const root = await act(async () =>
    hydrateRoot(container, tree, { onRecoverableError: (error) => problems.push(error) }),
  );
  t.after(() => act(() => root.unmount()));
  assert.equal(container.textContent, "active");
  assert.deepEqual(problems, []);
});

test("what the server knew is shown until the session knows better", async (t) => {
  const session = scriptedSession();
  const Who = () => String(useSession((snapshot) => snapshot.subject));
  const page = await mount(t, session, h(Who), { initial: { status: "active", subject: "ana" } });
  assert.equal(page.text, "ana");
  await act(() => session.set(signedOut("none")));
  assert.equal(page.text, "null");
});

test("the packed file begins with its directive, so that server components may import it", () => {
  const file = readFileSync(new URL("../dist/react.js", import.meta.url), "utf8");
  assert.match(file, /^"use client";/);
});
