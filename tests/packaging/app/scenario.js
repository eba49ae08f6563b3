// What every environment does with the package: signs in at the real server and refreshes once.

/** Says who is signed in, whether the token was renewed, and the status of a request with it. */
export async function signInAndRefresh({ createSession, server = "", fetch = globalThis.fetch }) {
  const response = await fetch(`${server}/auth/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username: "demo", password: "demo" }),
  });
  const session = createSession({
    refresh: `${server}/oauth/token`,
    origins: server ? [server] : undefined,
    fetch,
  });
  session.start(await response.json());
  const first = await session.getAccessToken();
  await session.refresh();
  const second = await session.getAccessToken();
  const { status } = await session.fetch(`${server}/api/me`);
  const signedIn = session.snapshot.status === "active" && session.snapshot.subject !== null;
  session.dispose();
  return { signedIn, renewed: first !== second, status };
}
