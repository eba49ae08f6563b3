// The session of a tree, its snapshot and its events.

import * as React from "react";

import { listen } from "../listen.ts";
import type { Session, SessionEvents, Snapshot } from "../types.ts";
import { UNKNOWN } from "../unknown.ts";

interface Given {
  readonly session: Session;
  readonly initial?: Snapshot | undefined;
}

const SessionContext = React.createContext<Given | undefined>(undefined);

/**
 * Gives a session to the hooks below it.
 *
 * @param props - `initial`: what the server knew of the session; it is shown while the status is
 * `unknown`, so that a page that was rendered on the server does not flicker
 * @example const app = <SessionProvider session={session}>...</SessionProvider>;
 */
export function SessionProvider(props: {
  readonly session: Session;
  readonly initial?: Partial<Snapshot> | undefined;
  readonly children?: React.ReactNode;
}): React.ReactElement {
  const { session, initial, children } = props;
  const [first] = React.useState(initial && Object.freeze({ ...UNKNOWN, ...initial }));
  const value = React.useMemo(() => ({ session, initial: first }), [session, first]);
  return React.createElement(SessionContext.Provider, { value }, children);
}

/** The session that was passed, or that of the tree. @internal */
export function useGiven(session: Session | undefined): Given {
  const given = React.useContext(SessionContext);
  if (session && session !== given?.session) return { session };
  if (given) return given;
  throw new Error("no session: put <SessionProvider session={...}> around, or pass the session");
}

/**
 * The session itself, for its methods; it renders nothing anew.
 *
 * @example const { signOut } = useSessionClient();
 */
export function useSessionClient(): Session {
  return useGiven(undefined).session;
}

/**
 * The snapshot; renders anew when it changes, each second during `warning`.
 *
 * @example const { status } = useSession();
 */
export function useSession(session?: Session): Snapshot;
/**
 * What `selector` takes from the snapshot; renders anew only when `isEqual` says that it changed.
 *
 * @param isEqual - compares two selected values [`Object.is`]
 */
export function useSession<T>(
  selector: (snapshot: Snapshot) => T,
  isEqual?: (before: T, after: T) => boolean,
  session?: Session,
): T;
export function useSession(
  first?: Session | ((snapshot: Snapshot) => unknown),
  isEqual: (before: unknown, after: unknown) => boolean = Object.is,
  last?: Session,
): unknown {
  const selector = typeof first === "function" ? first : undefined;
  const { session, initial } = useGiven(selector ? last : (first as Session | undefined));
  const kept = React.useRef<[snapshot: Snapshot, selector: unknown, value: unknown]>(undefined);
  const select = (snapshot: Snapshot): unknown => {
    if (snapshot.status === "unknown" && initial) snapshot = initial;
    if (!selector) return snapshot;
    const before = kept.current;
    if (before?.[0] === snapshot && before[1] === selector) return before[2];
    let value = selector(snapshot);
    if (before && isEqual(before[2], value)) value = before[2];
    kept.current = [snapshot, selector, value];
    return value;
  };
  const subscribe = React.useCallback(
    (listener: () => void) => listen(session, () => session.subscribe(listener)),
    [session],
  );
  return React.useSyncExternalStore(
    subscribe,
    () => select(session.snapshot),
    () => select(UNKNOWN),
  );
}

/** What was rendered last, for what is called later. @internal */
export function useNewest<T>(value: T): { readonly current: T } {
  const newest = React.useRef(value);
  React.useEffect(() => {
    newest.current = value;
  });
  return newest;
}

/**
 * Calls the newest `listener` for each event of a type, while the component is mounted.
 *
 * @example useSessionEvent("signed-out", ({ reason }) => console.info(reason));
 */
export function useSessionEvent<T extends keyof SessionEvents>(
  type: T,
  listener: (event: SessionEvents[T]) => void,
  session?: Session,
): void {
  const used = useGiven(session).session;
  const newest = useNewest(listener);
  React.useEffect(
    () => listen(used, () => used.on(type, (event) => newest.current(event))),
    [used, type],
  );
}

