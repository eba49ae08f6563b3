import { Auth0Client } from "@auth0/auth0-spa-js";

const client = new Auth0Client({
  domain: location.origin,
  clientId: "client",
  useRefreshTokens: true,
  cacheLocation: "localstorage",
  authorizationParams: { redirect_uri: `${location.origin}/signed-in` },
});

/** The page that the service would send back to is never left: it hands out the nonce as the code. */
export const signIn = () =>
  client.loginWithRedirect({
    async openUrl(url) {
      const { searchParams } = new URL(url);
      const back = new URLSearchParams({ code: searchParams.get("nonce"), state: searchParams.get("state") });
      await client.handleRedirectCallback(`${location.origin}/signed-in?${back}`);
    },
  });
export const join = () => client.getTokenSilently();
export const request = async (url) => {
  const token = await client.getTokenSilently();
  return (await fetch(url, { headers: { Authorization: `Bearer ${token}` } })).status;
};
