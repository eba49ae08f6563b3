import { createSession } from "everfresh";

export const session = createSession({
  refresh: { url: "/oauth/token", revokeUrl: "/oauth/revoke" },
  storage: "session", // a reload keeps the user signed in
});
// On the server the session stays unknown: nothing is fetched, nothing shared between requests.
if (typeof document !== "undefined") void session.restore();

export async function signIn(form) {
  const response = await fetch("/auth/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(Object.fromEntries(form)),
  });
  if (!response.ok) throw new Error(`sign-in failed: ${response.status}`);
  session.start(await response.json());
}

export async function whoAmI() {
  const response = await session.fetch("/api/me"); // exactly the type of fetch
  return response.ok ? response.text() : `failed: ${response.status}`;
}
