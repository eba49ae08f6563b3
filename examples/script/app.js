import { createSession, isSignedIn } from "everfresh";

const session = createSession({
  refresh: { url: "/oauth/token", revokeUrl: "/oauth/revoke" },
  storage: "session", // a reload keeps the user signed in
});
const find = (selector) => document.querySelector(selector);

function show() {
  const { snapshot } = session;
  find("form").hidden = snapshot.status !== "signed-out";
  find("main").hidden = !isSignedIn(snapshot);
  find("#status").textContent = `${snapshot.status}, token number ${snapshot.generation}`;
}
session.subscribe(show);

find("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const response = await fetch("/auth/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(Object.fromEntries(new FormData(event.target))),
  });
  if (response.ok) session.start(await response.json());
  else find("#status").textContent = `sign-in failed: ${response.status}`;
});

find("#who").addEventListener("click", async () => {
  const response = await session.fetch("/api/me"); // exactly the type of fetch
  find("output").textContent = response.ok ? await response.text() : `failed: ${response.status}`;
});

find("#out").addEventListener("click", () => session.signOut());

void session.restore(); // signed in again, or not
