import SuperTokens from "supertokens-website";

SuperTokens.init({
  apiDomain: location.origin,
  apiBasePath: "/supertokens",
  tokenTransferMethod: "header",
});

export const signIn = () => fetch("/supertokens/login", { method: "POST" });
export const join = () => SuperTokens.doesSessionExist();
export const request = async (url) => (await fetch(url)).status;
