import { createSession } from "everfresh";

export const session = createSession({
  refresh: { url: "/oauth/token", revokeUrl: "/oauth/revoke" },
  storage: "session", // a reload keeps the user signed in
});
void session.restore(); // at once, and not in a component

export async function signIn(form: FormData): Promise<void> {
  const response = await fetch("/auth/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(Object.fromEntries(form)),
  });
  if (!response.ok) throw new Error(`sign-in failed: ${response.status}`);
  session.start(await response.json());
}

export async function whoAmI(): Promise<string> {
  const response = await session.fetch("/api/me"); // exactly the type of fetch
  return response.ok ? response.text() : `failed: ${response.status}`;
}
