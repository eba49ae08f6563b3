// Svelte 5 (and its stores): nothing is kept in modules, so requests of a server share nothing.

import { getContext, setContext } from "svelte";
import { createSubscriber } from "svelte/reactivity";

import { listen } from "../listen.ts";
import type { Session, Snapshot } from "../types.ts";

import { hasPage, isSignedIn, ready } from "../ready.ts";

/**
 * The snapshot as reactive state: what reads `current` in an effect or a template follows it.
 *
 * @example const shown = sessionState(session); // {shown.current.status} in the template
 */
export function sessionState(session: Session): {
  /** The snapshot as it is now. */
  readonly current: Snapshot;
} {
  const follow = createSubscriber((update) => listen(session, () => session.subscribe(update)));
  return {
    get current() {
      follow();
      return session.snapshot;
    },
  };
}

/**
 * The snapshot as a store: `$store`. It calls back at once, as stores do, unlike `session.subscribe`.
 *
 * @example const snapshot = sessionStore(session); // {$snapshot.status} in the template
 */
export function sessionStore(session: Session): {
  /** Calls back at once and after each change; what it returns stops it. */
  subscribe(run: (snapshot: Snapshot) => void): () => void;
} {
  return {
    subscribe(run) {
      const tell = () => run(session.snapshot);
      const stop = hasPage() ? listen(session, () => session.subscribe(tell)) : () => {};
      tell();
      return stop;
    },
  };
}

const KEY = Symbol("everfresh");

/**
 * Gives the session to the components below; call it while a component is set up.
 *
 * @example setSessionContext(session);
 */
export function setSessionContext(session: Session): Session {
  return setContext(KEY, session);
}

/**
 * The session that a component above has set.
 *
 * @example const session = getSessionContext();
 */
export function getSessionContext(): Session {
  const session = getContext<Session | undefined>(KEY);
  if (session) return session;
  throw new Error("no session: call setSessionContext(session) in a component above");
}

/**
 * For `load` of SvelteKit: waits until it is known who is there, and goes to the login page if nobody
 * is. On a server every user passes.
 *
 * @param url - the address asked for; path, query and hash of it go along as `redirect`
 * @param options - `redirect`: SvelteKit's; `login`: the login page ["/login"]
 * @example const load = ({ url }: { url: URL }) => requireSession(session, url, { redirect });
 */
export async function requireSession(
  session: Session,
  url: URL,
  options: {
    readonly redirect: (status: 307, location: string) => never;
    readonly login?: string | undefined;
  },
): Promise<Snapshot> {
  if (!hasPage()) return session.snapshot;
  const snapshot = await ready(session);
  if (isSignedIn(snapshot)) return snapshot;
  const { redirect, login = "/login" } = options;
  const query = new URLSearchParams({
    redirect: url.pathname + url.search + url.hash,
    reason: snapshot.reason ?? "none",
  });
  return redirect(307, `${login}?${query}`);
}
