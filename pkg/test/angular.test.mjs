// Angular without Zone.js.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./dom.mjs";
import "@angular/compiler";

import { HttpClient, HttpContext, provideHttpClient, withInterceptors } from "@angular/common/http";
import { Component, provideZonelessChangeDetection } from "@angular/core";
import { bootstrapApplication } from "@angular/platform-browser";
import { provideRouter, Router } from "@angular/router";
import { firstValueFrom } from "rxjs";

import {
  injectSession,
  provideEverfresh,
  sessionGuard,
  sessionInterceptor,
  SKIP_SESSION,
} from "everfresh/angular";

import { active, scriptedSession, signedOut } from "./scripted-session.mjs";

const component = (template, make = () => ({}), imports = []) => {
  class Shown {
    constructor() {
      Object.assign(this, make());
    }
  }
  return Component({ selector: "app-root", template, imports })(Shown) ?? Shown;
};

async function bootstrap(t, root, providers) {
  document.body.innerHTML = "<app-root></app-root>";
  const app = await bootstrapApplication(root, {
    providers: [provideZonelessChangeDetection(), ...providers],
  });
  t.after(() => app.destroyed || app.destroy());
  return app;
}

test("signals follow the snapshot, and the injector lets go", async (t) => {
  const session = scriptedSession();
  const shown = component("{{ s.snapshot().status }} {{ s.isSignedIn() }} {{ s.secondsLeft() }}", () => ({
    s: injectSession(),
  }));
  const app = await bootstrap(t, shown, [provideEverfresh(session)]);
  await app.whenStable();
  assert.equal(document.body.textContent.trim(), "unknown false");
  session.set({ ...active, status: "warning", secondsLeft: 9 });
  await app.whenStable();
  assert.equal(document.body.textContent.trim(), "warning true 9");
  app.destroy();
  assert.equal(session.subscribers.size, 0);
});

test("a disposed session does not end the page", async (t) => {
  const session = scriptedSession();
  session.set(active);
  session.dispose();
  const warned = t.mock.method(console, "warn", () => {});
  const shown = component("{{ s.snapshot().status }}", () => ({ s: injectSession() }));
  const app = await bootstrap(t, shown, [provideEverfresh(session)]);
  await app.whenStable();
  assert.equal(document.body.textContent.trim(), "active");
  assert.match(warned.mock.calls[0].arguments[0], /a disposed session is in use/);
});

test("the guard keeps the address and the reason, restores once, and lets the signed in pass", async (t) => {
  const session = scriptedSession();
  const Nothing = component("");
  const guard = sessionGuard({ login: "/login" });
  const routes = [
    { path: "orders", component: Nothing, canActivate: [guard] },
    { path: "lazy", component: Nothing, canMatch: [guard] },
    { path: "login", component: Nothing },
  ];
  const app = await bootstrap(t, component(""), [provideEverfresh(session), provideRouter(routes)]);
  const router = app.injector.get(Router);
  await router.navigateByUrl("/orders?page=2#last");
  assert.equal(router.url, "/login?redirect=%2Forders%3Fpage%3D2%23last&reason=none");
  await router.navigateByUrl("/lazy?page=3");
  assert.equal(router.url, "/login?redirect=%2Flazy%3Fpage%3D3&reason=none");
  assert.deepEqual(session.calls, ["restore"]);
  session.set(active);
  await router.navigateByUrl("/orders?page=2#last");
  assert.equal(router.url, "/orders?page=2#last");
});

/** HttpClient on a fetch of the test's; `authorize` and `reauthorize` as a session has them. */
async function http(t, answer) {
  const sent = [];
  const before = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const headers = new Headers(init.headers);
    sent.push({ url: String(input), authorization: headers.get("Authorization"), body: init.body });
    return answer(sent.at(-1), sent.length);
  };
  t.after(() => (globalThis.fetch = before));
  const session = scriptedSession();
  session.set(active);
  session.healed = 0;
  session.authorize = async (url) =>
    session.snapshot.status === "active" && String(url).startsWith("https://api.test") ? "Bearer one" : null;
  session.reauthorize = async (url, value) => {
    assert.equal(value, "Bearer one");
    session.healed += 1;
    return session.newer;
  };
  session.newer = "Bearer two";
  const app = await bootstrap(t, component(""), [
    provideEverfresh(session),
    provideHttpClient(withInterceptors([sessionInterceptor])),
  ]);
  return { sent, session, client: app.injector.get(HttpClient), app };
}

const json = (status, value = {}) => Response.json(value, { status });
const onlyTwo = ({ authorization }) => json(authorization === "Bearer two" ? 200 : 401, { fine: true });

test("a 401 is healed and the request sent again with its body", async (t) => {
  const w = await http(t, onlyTwo);
  const answer = await firstValueFrom(w.client.post("https://api.test/orders", { n: 1 }));
  assert.deepEqual(answer, { fine: true });
  assert.deepEqual(w.sent.map(({ authorization }) => authorization), ["Bearer one", "Bearer two"]);
  assert.equal(w.sent[0].body, w.sent[1].body);
  assert.equal(w.session.healed, 1);
});

test("a second 401, and one that nothing heals, is the caller's", async (t) => {
  const w = await http(t, () => json(401));
  const status = (error) => error.status === 401;
  await assert.rejects(firstValueFrom(w.client.get("https://api.test/never")), status);
  assert.equal(w.sent.length, 2);
  w.session.newer = null;
  await assert.rejects(firstValueFrom(w.client.get("https://api.test/never")), status);
  assert.equal(w.sent.length, 3);
  w.session.reauthorize = async () => {
    throw new Error("offline");
  };
  await assert.rejects(firstValueFrom(w.client.get("https://api.test/never")), status);
});

test("other errors and foreign, skipped, signed-out requests are left alone", async (t) => {
  const w = await http(t, ({ url }) => json(url.endsWith("/bad") ? 500 : 200));
  await assert.rejects(firstValueFrom(w.client.get("https://api.test/bad")), (error) => error.status === 500);
  await firstValueFrom(w.client.get("https://other.test/i18n.json"));
  const context = new HttpContext().set(SKIP_SESSION, true);
  await firstValueFrom(w.client.get("https://api.test/a", { context }));
  const headers = { Authorization: "Basic eA==" };
  await firstValueFrom(w.client.get("https://api.test/a", { headers }));
  w.session.set(signedOut());
  await firstValueFrom(w.client.get("https://api.test/a"));
  assert.deepEqual(
    w.sent.map(({ authorization }) => authorization),
    ["Bearer one", null, null, "Basic eA==", null],
  );
  assert.equal(w.session.healed, 0);
});

test("a server subscribes to nothing and restores nothing", async (t) => {
  const session = scriptedSession();
  const app = await bootstrap(t, component(""), [provideEverfresh(session), provideRouter([])]);
  const before = globalThis.document;
  globalThis.document = undefined;
  t.after(() => (globalThis.document = before));
  const { runInInjectionContext } = await import("@angular/core");
  await runInInjectionContext(app.injector, async () => {
    assert.equal(injectSession().snapshot().status, "unknown");
    assert.equal(await sessionGuard({ login: "/login" })(), true);
  });
  globalThis.document = before;
  assert.equal(session.subscribers.size, 0);
  assert.deepEqual(session.calls, []);
});
