import { UserManager } from "oidc-client-ts";

const manager = new UserManager({
  authority: "https://id.test",
  client_id: "client",
  redirect_uri: "https://app.test/signed-in",
  automaticSilentRenew: true,
});

export const signIn = () => manager.signinRedirect();
export const signOut = () => manager.signoutRedirect();
export const request = async (url) => {
  const user = await manager.getUser();
  return fetch(url, { headers: { Authorization: `Bearer ${user.access_token}` } });
};
