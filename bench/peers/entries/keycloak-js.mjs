import Keycloak from "keycloak-js";

const keycloak = new Keycloak({ url: "https://id.test", realm: "app", clientId: "client" });

export const start = () => keycloak.init({ onLoad: "check-sso" });
export const signIn = () => keycloak.login();
export const signOut = () => keycloak.logout();
export const request = async (url) => {
  await keycloak.updateToken(30);
  return fetch(url, { headers: { Authorization: `Bearer ${keycloak.token}` } });
};
