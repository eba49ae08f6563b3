import { createSession } from "everfresh";

const session = createSession({
  refresh: { url: "/oauth/token", clientId: "client" },
  storage: "local",
  idleSeconds: Infinity,
});

export const signIn = async () => {
  const response = await fetch("/login", { method: "POST" });
  session.start(await response.json());
};
export const join = () => session.restore();
export const request = async (url) => (await session.fetch(url)).status;
