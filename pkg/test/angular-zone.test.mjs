// Angular with Zone.js: what waits in the session is none of the application's business.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./dom.mjs";
import "zone.js";
import "@angular/compiler";

import { ApplicationRef, Component, NgZone, provideZoneChangeDetection } from "@angular/core";
import { bootstrapApplication } from "@angular/platform-browser";

import { createSession } from "everfresh";
import { injectSession, provideEverfresh } from "everfresh/angular";

import { lockManager, put } from "./page.mjs";
import { jwt } from "./world.mjs";

test("an application with a session becomes stable, whatever it calls and whenever", async (t) => {
  if (!globalThis.navigator?.locks) put(t, { navigator: { locks: lockManager() } });
  let issued = 0;
  const issue = () => {
    issued += 1;
    return { access_token: jwt({ sub: "ana", jti: String(issued) }), refresh_token: "r", expires_in: 300 };
  };
  const session = createSession({ refresh: async () => issue(), name: "zone", idleSeconds: 600, warnSeconds: 599.5 });
  t.after(() => session.dispose());
  class App {
    constructor() {
      this.session = injectSession();
    }
  }
  const Root = Component({ selector: "app-root", template: "{{ session.snapshot().status }}" })(App) ?? App;
  document.body.innerHTML = "<app-root></app-root>";
  const app = await bootstrapApplication(Root, {
    providers: [provideZoneChangeDetection(), provideEverfresh(session)],
  });
  t.after(() => app.destroy());
  const zone = app.injector.get(NgZone);
  const stable = async (what) => {
    const late = Symbol(what);
    const timeout = new Promise((done) => Zone.root.run(() => setTimeout(done, 20_000, late)));
    assert.notEqual(await Promise.race([app.injector.get(ApplicationRef).whenStable(), timeout]), late);
  };
  await stable("bootstrap");
  zone.run(() => session.start(issue()));
  await stable("start");
  assert.equal(document.body.textContent, "active");
  await zone.run(() => session.refresh());
  await stable("refresh");
  zone.run(() => session.touch());
  zone.run(() => document.dispatchEvent(new window.Event("keydown", { bubbles: true })));
  await stable("input");
  const release = zone.run(() => session.hold());
  zone.run(release);
  await zone.run(() => session.getAccessToken());
  await stable("a token");
  assert.ok(session.snapshot.refreshAt > Date.now());
});
