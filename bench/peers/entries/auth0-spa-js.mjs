import { Auth0Client } from "@auth0/auth0-spa-js";

const client = new Auth0Client({ domain: "tenant.auth0.test", clientId: "client", useRefreshTokens: true });

export const signIn = () => client.loginWithRedirect();
export const signOut = () => client.logout();
export const request = async (url) => client.createFetcher().fetchWithAuth(url);
