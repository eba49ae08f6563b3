import { fetchAuthSession, signInWithRedirect, signOut } from "@aws-amplify/auth";
import { Amplify } from "@aws-amplify/core";

Amplify.configure({ Auth: { Cognito: { userPoolId: "eu-west-1_pool", userPoolClientId: "client" } } });

export const request = async (url) => {
  const { tokens } = await fetchAuthSession();
  return fetch(url, { headers: { Authorization: `Bearer ${tokens.accessToken}` } });
};
export { signInWithRedirect as signIn, signOut };
