import "@angular/compiler";
import { Component, DestroyRef, inject, provideZonelessChangeDetection, signal } from "@angular/core";
import { bootstrapApplication } from "@angular/platform-browser";
import { injectSession, provideEverfresh, SESSION } from "everfresh/angular";

import { session } from "./session.mjs";

let mounts = 0;

// What a compiler of TypeScript makes of decorators; the templates are compiled in the page.
class Orders {
  session = injectSession();
  mount = (mounts += 1);
}
Component({
  selector: "app-orders",
  template: `<p id="orders">{{ mount > 1 ? "mounted again" : "mounted once" }} {{ session.snapshot().generation }}</p>`,
})(Orders);

class App {
  session = injectSession();
  ends = signal(0);
  constructor() {
    inject(DestroyRef).onDestroy(inject(SESSION).on("signed-out", () => this.ends.update((count) => count + 1)));
  }
}
Component({
  selector: "app-root",
  imports: [Orders],
  template: `<p id="status">{{ session.snapshot().status }}, {{ ends() }} ends</p>
    @if (session.isSignedIn()) { <app-orders /> } @else { <p id="login">sign in</p> }`,
})(App);

document.getElementById("app").append(document.createElement("app-root"));
await bootstrapApplication(App, { providers: [provideZonelessChangeDetection(), provideEverfresh(session)] });
