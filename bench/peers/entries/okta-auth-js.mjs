import { OktaAuth } from "@okta/okta-auth-js";

const okta = new OktaAuth({ issuer: "https://id.test", clientId: "client", redirectUri: "/signed-in" });

export const start = () => okta.start();
export const signIn = () => okta.signInWithRedirect();
export const signOut = () => okta.signOut();
export const request = async (url) => {
  const token = await okta.getOrRenewAccessToken();
  return fetch(url, { headers: { Authorization: `Bearer ${token}` } });
};
