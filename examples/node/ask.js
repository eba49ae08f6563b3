// Asks an API for the paths that are typed in, for as long as that takes.

import { createInterface } from "node:readline";
import { createSession } from "everfresh";

const server = process.env.SERVER ?? "http://127.0.0.1:8080";

const login = await fetch(`${server}/auth/login`, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ username: "demo", password: "demo" }),
});
if (!login.ok) throw new Error(`sign-in failed: ${login.status}`);

// There is no page, so say where things are. Without a page there is no idle user either.
const session = createSession({
  refresh: { url: `${server}/oauth/token`, revokeUrl: `${server}/oauth/revoke` },
  origins: [server],
});
session.start(await login.json());
session.on("refreshed", () => console.log("a new access token"));

console.log("signed in; type a path, such as /api/me");
for await (const path of createInterface({ input: process.stdin })) {
  const response = await session.fetch(new URL(path, server));
  console.log(response.status, await response.text());
}
await session.signOut();
console.log("signed out");
