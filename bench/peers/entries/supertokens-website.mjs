import SuperTokens from "supertokens-website";

SuperTokens.init({ apiDomain: "https://id.test" });

export const signOut = () => SuperTokens.signOut();
export const request = (url) => fetch(url);
