// How the adapters listen: a component may outlive its session.

import type { Session } from "./types.ts";

/** A session that was disposed has nothing to tell: that must not end the page. @internal */
export function listen(session: Session, add: () => () => void): () => void {
  try {
    return add();
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ERR_DISPOSED") throw error;
    const remedy = "do not dispose it in an effect or a component";
    console.warn(`everfresh: a disposed session is in use: ${remedy}`, session.snapshot);
    return () => {};
  }
}
