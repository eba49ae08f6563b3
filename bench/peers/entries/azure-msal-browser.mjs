import { PublicClientApplication } from "@azure/msal-browser";

const client = new PublicClientApplication({ auth: { clientId: "client" } });

export const signIn = () => client.loginRedirect();
export const signOut = () => client.logoutRedirect();
export const request = async (url) => {
  const { accessToken } = await client.acquireTokenSilent({ scopes: ["api"] });
  return fetch(url, { headers: { Authorization: `Bearer ${accessToken}` } });
};
