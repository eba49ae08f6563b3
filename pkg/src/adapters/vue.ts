// Vue 3: a plugin, a composable and a guard for vue-router.

import { inject, type InjectionKey, onMounted, onScopeDispose, type ShallowRef, shallowRef } from "vue";

import { listen } from "../listen.ts";
import type { Session, Snapshot } from "../types.ts";
import { UNKNOWN } from "../unknown.ts";

import { hasPage, isSignedIn, ready } from "../ready.ts";

/**
 * What the plugin provides.
 *
 * @example const { session, hydrate } = inject(SESSION_KEY) as ProvidedSession;
 */
export interface ProvidedSession {
  /** The session of the application. */
  readonly session: Session;
  /** Whether the page was rendered on a server. */
  readonly hydrate: boolean;
}

/**
 * Under what the plugin provides the session.
 *
 * @example const provided = inject(SESSION_KEY);
 */
export const SESSION_KEY: InjectionKey<ProvidedSession> = Symbol("everfresh");

/**
 * `app.use(createSessionPlugin(session))`.
 *
 * @param options - `hydrate`: the page was rendered on a server, so it stays `unknown` until it is
 * mounted [false]
 * @example createApp({}).use(createSessionPlugin(session)).mount("#app");
 */
export function createSessionPlugin(
  session: Session,
  options: { readonly hydrate?: boolean | undefined } = {},
): {
  /** What `app.use` calls. */
  install(app: { provide(key: InjectionKey<ProvidedSession>, value: ProvidedSession): unknown }): void;
} {
  const { hydrate = false } = options;
  return { install: (app) => void app.provide(SESSION_KEY, Object.freeze({ session, hydrate })) };
}

function provided(): ProvidedSession {
  const found = inject(SESSION_KEY, undefined);
  if (found) return found;
  throw new Error("no session: app.use(createSessionPlugin(session)), or pass the session");
}

/**
 * The session itself, for its methods.
 *
 * @example const { signOut } = useSessionClient();
 */
export function useSessionClient(): Session {
  return provided().session;
}

/**
 * The snapshot, until the scope ends. On a server it stays `unknown`.
 *
 * @example
 * const snapshot = useSession();
 * const name = computed(() => snapshot.value.claims?.["name"]);
 */
export function useSession(session?: Session): Readonly<ShallowRef<Snapshot>> {
  const { session: used, hydrate } = session ? { session, hydrate: false } : provided();
  if (!hasPage()) return shallowRef(UNKNOWN);
  const snapshot = shallowRef(hydrate ? UNKNOWN : used.snapshot);
  const update = () => {
    snapshot.value = used.snapshot;
  };
  let stop: (() => void) | undefined;
  const begin = () => {
    stop = listen(used, () => used.subscribe(update));
    update();
  };
  onScopeDispose(() => stop?.());
  if (hydrate) onMounted(begin);
  else begin();
  return snapshot;
}

/**
 * As much of a route as the guard reads.
 *
 * @example const route: GuardedRoute = { fullPath: "/orders?page=2#last" };
 */
export interface GuardedRoute {
  /** Path, query and hash. */
  readonly fullPath: string;
}

/**
 * Where the guard sends those who are not signed in.
 *
 * @example const login: LoginLocation = { path: "/login", query: { redirect: "/orders", reason: "idle" } };
 */
export interface LoginLocation {
  /** As it was given. */
  path: string;
  /** `redirect`: where they wanted to go; `reason`: what ended the session, or `none`. */
  query: Record<string, string>;
}

/**
 * A navigation guard: `router.beforeEach` or `beforeEnter`. Waits until it is known who is there. On
 * a server every user passes.
 *
 * @param options - `login`: where to go else, with `redirect` and `reason` in the query; or a function
 * that says where
 * @example router.beforeEach(sessionGuard(session, { login: "/login" }));
 */
export function sessionGuard<Route extends GuardedRoute, Location = never>(
  session: Session,
  options: { readonly login: string | ((to: Route, snapshot: Snapshot) => Location) },
): (to: Route) => Promise<true | Location | LoginLocation> {
  const { login } = options;
  return async (to) => {
    if (!hasPage()) return true;
    const snapshot = await ready(session);
    if (isSignedIn(snapshot)) return true;
    if (typeof login === "function") return login(to, snapshot);
    return { path: login, query: { redirect: to.fullPath, reason: snapshot.reason ?? "none" } };
  };
}
