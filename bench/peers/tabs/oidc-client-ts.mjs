import { User, UserManager, WebStorageStateStore } from "oidc-client-ts";

const manager = new UserManager({
  authority: location.origin,
  client_id: "client",
  redirect_uri: `${location.origin}/signed-in`,
  automaticSilentRenew: true,
  userStore: new WebStorageStateStore({ store: localStorage }),
  metadata: { issuer: location.origin, token_endpoint: `${location.origin}/oauth/token` },
});

export const signIn = async () => {
  const response = await fetch("/login", { method: "POST" });
  const { expires_in, ...tokens } = await response.json();
  const profile = { sub: "ada", iss: location.origin, aud: "client", iat: 0, exp: 0 };
  const user = new User({ ...tokens, profile, expires_at: Math.floor(Date.now() / 1000) + expires_in });
  await manager.storeUser(user);
  await manager.getUser();
};
export const join = () => manager.getUser();
export const request = async (url) => {
  const user = await manager.getUser();
  return (await fetch(url, { headers: { Authorization: `Bearer ${user?.access_token}` } })).status;
};
