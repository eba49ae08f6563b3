import { OidcClient } from "@axa-fr/oidc-client";

const client = OidcClient.getOrCreate(() => fetch)({
  authority: "https://id.test",
  client_id: "client",
  redirect_uri: "https://app.test/signed-in",
  scope: "openid offline_access",
});

export const signIn = () => client.loginAsync("/");
export const signOut = () => client.logoutAsync();
export const request = (url) => client.fetchWithTokens(fetch)(url);
