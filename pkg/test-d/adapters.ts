// The types of the adapters, held against what callers write. tsc is the test.

import { provideHttpClient, withInterceptors } from "@angular/common/http";
import type { Signal } from "@angular/core";
import type { Routes } from "@angular/router";
import axios from "axios";
import ky from "ky";
import { createElement } from "react";
import type { Accessor } from "solid-js";
import { createApp, type ShallowRef } from "vue";

import * as angular from "../dist/adapters/angular.js";
import autorefresh from "../dist/adapters/autorefresh.js";
import { attachSession } from "../dist/adapters/axios.js";
import { sessionOptions } from "../dist/adapters/ky.js";
import * as react from "../dist/adapters/react.js";
import * as solid from "../dist/adapters/solid.js";
import * as svelte from "../dist/adapters/svelte.js";
import { createTestKit, type Fault, fakeSession, token } from "../dist/adapters/testing.js";
import * as vue from "../dist/adapters/vue.js";
import type { EndReason, Session, Snapshot } from "../dist/index.js";

type Equals<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(): T | undefined => undefined;
declare const session: Session;

const start: (accessToken: string) => () => void = autorefresh({
  refresh: async () => "jwt",
  leadSeconds: () => 60,
});
start("jwt")();
// @ts-expect-error: leadSeconds is required
autorefresh({ refresh: () => "jwt" });

export function Page(): unknown {
  const snapshot = react.useSession();
  const name = react.useSession(({ subject }) => subject ?? "nobody");
  holds<Equals<typeof snapshot, Snapshot>>();
  holds<Equals<typeof name, string>>();
  react.useSession((it) => ({ id: it.subject }), (a, b) => a.id === b.id, session);
  react.useSessionEvent("signed-out", ({ reason }) => holds<Equals<typeof reason, EndReason>>());
  // @ts-expect-error: no such event
  react.useSessionEvent("expired", () => {});
  const { open, secondsLeft, stay, signOut } = react.useSessionWarning();
  if (open && secondsLeft === 1) stay();
  else void signOut();
  return createElement(
    react.SessionProvider,
    { session, initial: { status: "active" } },
    createElement(react.RequireSession, { pending: "wait", onSignedOut: ({ reason }) => reason }, name),
  );
}

const shown: Readonly<ShallowRef<Snapshot>> = vue.useSession();
createApp({}).use(vue.createSessionPlugin(session, { hydrate: true }));
vue.sessionGuard(session, { login: (to: { fullPath: string; name: string }) => to.name });
// @ts-expect-error: snapshots are read-only
shown.value.status = "active";

holds<Equals<ReturnType<typeof svelte.sessionState>["current"], Snapshot>>();
svelte.sessionStore(session).subscribe(({ status }) => status)();
const accessor: Accessor<Snapshot> = solid.useSession(session);
accessor();

const { snapshot, isSignedIn, secondsLeft } = angular.injectSession();
holds<Equals<typeof snapshot, Signal<Snapshot>>>();
holds<Equals<typeof isSignedIn, Signal<boolean>>>();
holds<Equals<typeof secondsLeft, Signal<number | null>>>();
provideHttpClient(withInterceptors([angular.sessionInterceptor]));
const guard = angular.sessionGuard({ login: "/login" });
const routes: Routes = [{ path: "", canActivate: [guard], canMatch: [guard], children: [] }];
void routes;

const detach: () => void = attachSession(axios.create(), session, { transport: "xhr" });
detach();
// @ts-expect-error: no such transport
attachSession(axios, session, { transport: "http" });
void ky.extend(sessionOptions(session)).get("https://api.test").json<{ id: number }>();

const kit = createTestKit({ idleSeconds: 60, style: "cookie", ttl: 30 });
const fault: Fault = "503";
kit.server.next(fault, "lost");
// @ts-expect-error: no such fault
kit.server.next("500");
const advanced: Promise<void> = kit.clock.advance(5);
const text: string = token({ role: "admin" }, { ttl: 5 });
void [advanced, text];
const fake: Session = fakeSession({ status: "active" });
void fake;
// @ts-expect-error: refresh-failed has an error
fakeSession().emit("refresh-failed", { error: "no" });
