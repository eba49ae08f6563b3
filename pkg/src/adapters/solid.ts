// Solid: a provider and an accessor.

import {
  type Accessor,
  createComponent,
  createContext,
  createSignal,
  type JSX,
  onCleanup,
  useContext,
} from "solid-js";
import { isServer } from "solid-js/web";

import { listen } from "../listen.ts";
import type { Session, Snapshot } from "../types.ts";
import { UNKNOWN } from "../unknown.ts";

const SessionContext = createContext<Session>();

/**
 * Gives a session to the components below.
 *
 * @example createComponent(SessionProvider, { session }); // or <SessionProvider session={session}>
 */
export function SessionProvider(props: {
  readonly session: Session;
  readonly children?: JSX.Element;
}): JSX.Element {
  return createComponent(SessionContext.Provider, {
    value: props.session,
    get children() {
      return props.children;
    },
  });
}

/**
 * The session itself, for its methods.
 *
 * @example const { signOut } = useSessionClient();
 */
export function useSessionClient(): Session {
  const session = useContext(SessionContext);
  if (session) return session;
  throw new Error("no session: put <SessionProvider session={...}> around, or pass the session");
}

/**
 * The snapshot, until the owner is cleaned up. On a server it stays `unknown`.
 *
 * @example
 * const snapshot = useSession();
 * const name = () => snapshot().claims?.["name"];
 */
export function useSession(session: Session = useSessionClient()): Accessor<Snapshot> {
  if (isServer) return () => UNKNOWN;
  const [snapshot, set] = createSignal(session.snapshot);
  onCleanup(listen(session, () => session.subscribe(() => set(session.snapshot))));
  return snapshot;
}
