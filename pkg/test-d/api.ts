// The public types, held against what callers write. tsc is the test.

import {
  type Claims,
  createSession,
  decodeJwt,
  init,
  InvalidOptionError,
  isSessionError,
  isSignedIn,
  ready,
  safeReturnTo,
  type Session,
  SessionError,
  type SessionErrorCode,
  SignedOutByServerError,
  type Snapshot,
  type Stats,
} from "../dist/index.js";
import { appwrite, directus } from "../dist/adapters/presets.js";

type Equals<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(): T | undefined => undefined;

const session: Session = createSession({ refresh: "/oauth/token" });

holds<Equals<typeof session.fetch, typeof fetch>>();
holds<Equals<typeof session.snapshot, Snapshot>>();
holds<Equals<typeof session.stats, Stats>>();
holds<Equals<ReturnType<typeof session.restore>, Promise<Snapshot>>>();
holds<Equals<ReturnType<typeof decodeJwt>, Claims>>();

holds<Equals<ReturnType<typeof session.authorize>, Promise<string | null>>>();
holds<Equals<ReturnType<typeof session.reauthorize>, Promise<string | null>>>();
void session.reauthorize(new URL("/a", "https://a.test"), "Bearer a");
void session.fetch("/a", { everfresh: { refresh: false, wait: false } });
// @ts-expect-error: no such hint
void session.fetch("/a", { everfresh: { retry: false } });

const cancel: () => void = session.start("jwt");
cancel();
session.start({ accessToken: "a", refreshToken: "r", expiresIn: 5 });
session.start({ access_token: "a", token_type: "Bearer", expires_in: 5 });
session.start({ refreshToken: "r" });
session.start({});
// @ts-expect-error: null is no token
session.start(null);

createSession({ refresh: new URL("https://auth.test/token"), leadSeconds: (claims) => claims.exp ?? 5 });
createSession({ refresh: { url: "/t", style: "cookie", rotationKey: "off" }, storage: "session" });
createSession({ refresh: { url: "/t", style: "cookies", method: "GET" }, extendOn: "touch" });
createSession({
  refresh: {
    url: "/t",
    style: "json",
    params: (refreshToken) => ({ refreshToken }),
    tokens: ({ jwt }, response) => ({ accessToken: jwt, refreshToken: response.headers.get("x") ?? undefined }),
    classify: ({ status }, body) => (status === 404 && body.gone ? { refused: "reuse" } : undefined),
  },
});
// @ts-expect-error: not a verdict
createSession({ refresh: { url: "/t", classify: () => "maybe" } });
createSession({ refresh: directus({ url: "https://cms.test" }) });
// @ts-expect-error: a project is needed
createSession({ refresh: appwrite({ url: "https://a.test" }) });
const known: boolean = isSignedIn(await ready(session));
const path: string = safeReturnTo(new URLSearchParams().get("to"), "/");
void [known, path];
createSession({
  refresh: async ({ refreshToken, rotationKey, claims, signal }) => {
    if (!refreshToken || claims?.sub === "nobody") throw new SignedOutByServerError("gone");
    await fetch("/t", { method: "POST", body: rotationKey, signal });
    return { access_token: "a", expires_in: 5 };
  },
  storage: { get: async () => null, set: async () => {}, remove: () => {} },
  logger: console,
  fetch,
});
// @ts-expect-error: refresh is required
createSession({});
// @ts-expect-error: not a style
createSession({ refresh: { url: "/t", style: "xml" } });
// @ts-expect-error: null is never an option
createSession({ refresh: "/t", idleSeconds: null });
// @ts-expect-error: no such option
createSession({ refresh: "/t", leadTime: 5 });

session.on("refresh-failed", ({ retryAt, reason, error }) => {
  holds<Equals<typeof retryAt, number | null>>();
  holds<Equals<typeof error, SessionError>>();
  if (reason === "breaker") return;
});
session.on("signed-out", ({ reason }) => reason === "idle");
// @ts-expect-error: no such event
session.on("expired", () => {});
// @ts-expect-error: snapshots are read-only
session.snapshot.status = "active";

const caught: unknown = new Error();
if (isSessionError(caught)) {
  holds<Equals<typeof caught.code, SessionErrorCode>>();
  if (caught.code === "ERR_DISPOSED") session.dispose();
}
if (caught instanceof InvalidOptionError) holds<Equals<typeof caught.code, "ERR_INVALID_OPTION">>();

void init({ url: "/everfresh.wasm" });
using scoped: Session = createSession({ refresh: "/t" });
void scoped;

/** Methods of a session that need their session before the dot; there are none. */
type Bound = {
  [Name in keyof Session]: Session[Name] extends (...values: never[]) => unknown
    ? unknown extends ThisParameterType<Session[Name]>
      ? Exclude<Name, "fetch" | symbol>
      : never
    : never;
}[keyof Session];
holds<Equals<Bound, never>>();
