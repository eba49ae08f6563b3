// What waits, asks or keeps out.

import * as React from "react";

import { listen } from "../listen.ts";
import { hasPage, isSignedIn, ready } from "../ready.ts";
import type { Session, Snapshot } from "../types.ts";

import { useGiven, useNewest, useSession } from "./session.ts";

/**
 * For "are you still there?": whether to ask, the seconds left, and the two answers.
 *
 * @example const { open, secondsLeft, stay, signOut } = useSessionWarning();
 */
export function useSessionWarning(session?: Session): {
  /** Whether to ask. */
  readonly open: boolean;
  /** Whole seconds to the end, while it is open. */
  readonly secondsLeft: number | null;
  /** Extends the session, as input does. */
  readonly stay: () => void;
  /** Ends it. */
  readonly signOut: () => Promise<void>;
} {
  const used = useGiven(session).session;
  const secondsLeft = useSession((snapshot) => snapshot.secondsLeft, Object.is, used);
  const open = useSession((snapshot) => snapshot.status === "warning", Object.is, used);
  const answers = React.useMemo(() => ({ stay: () => used.touch(), signOut: () => used.signOut() }), [used]);
  return { open, secondsLeft, ...answers };
}

/**
 * As `useSession`, and suspends until the session is restored the first time. React 19.
 *
 * @throws to the error boundary what `restore()` rejected with; mounted anew, it tries again
 * @example const { claims } = useRestored();
 */
export function useRestored(session?: Session): Snapshot {
  const used = useGiven(session).session;
  const snapshot = useSession(used);
  // Looked up late: React 18 has no such export, which bundlers would complain of.
  const use = (React as Record<string, unknown>)["use".trim()] as typeof React.use | undefined;
  if (!use) throw new Error("useRestored() needs React 19: show what is pending while useSession().status is unknown");
  if (hasPage()) use(restored(used));
  return snapshot;
}

/** A promise as React marks it, so that it knows without waiting. */
interface Marked extends Promise<Snapshot> {
  status?: unknown;
}

const firsts = new WeakMap<Session, Promise<Snapshot>>();

/**
 * Always the same: a component that suspended on it must meet it again. A load that failed is thrown to
 * the error boundary, and what is rendered after that begins another.
 */
function restored(session: Session): Promise<Snapshot> {
  const { snapshot } = session;
  const first: Marked = firsts.get(session) ?? ready(session);
  firsts.set(session, first);
  if (snapshot.status !== "unknown") Object.assign(first, { status: "fulfilled", value: snapshot });
  // React renders again at once what threw, and must meet it then; no user asks again as fast.
  else if (first.status === "rejected") setTimeout(() => firsts.delete(session), 100);
  return first;
}

/**
 * Shows its children to signed-in users, also while the token is replaced or the end is near.
 *
 * @param props - `pending`: while it is not known yet; `fallback`: to others; `onSignedOut`: the newest is
 * called once for each end, and once when no user is there to begin with, in another `session` too
 * @example const page = <RequireSession pending="..." fallback={<a href="/login">Sign in</a>}>...</RequireSession>;
 */
export function RequireSession(props: {
  readonly pending?: React.ReactNode;
  readonly fallback?: React.ReactNode;
  readonly onSignedOut?: ((snapshot: Snapshot) => void) | undefined;
  readonly session?: Session | undefined;
  readonly children?: React.ReactNode;
}): React.ReactNode {
  const { session } = useGiven(props.session);
  const state = useSession(stateOf, Object.is, session);
  const newest = useNewest(props.onSignedOut);
  /** The session whose end was told, until it begins again. */
  const over = React.useRef<Session | false>(false);
  // React renders once for several changes, so the session itself is followed.
  React.useEffect(() => {
    const follow = () => {
      const before = over.current;
      over.current = session.snapshot.status === "signed-out" && session;
      if (over.current && before !== session) newest.current?.(session.snapshot);
    };
    follow();
    return listen(session, () => session.subscribe(follow));
  }, [session]);
  return state === "in" ? props.children : state === "out" ? props.fallback : props.pending;
}

const stateOf = (snapshot: Snapshot) =>
  isSignedIn(snapshot) ? "in" : snapshot.status === "signed-out" ? "out" : "pending";
