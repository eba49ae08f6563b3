import { AuthClient } from "@supabase/auth-js";

const auth = new AuthClient({ url: "https://id.test/auth/v1", autoRefreshToken: true });

export const signIn = (email, password) => auth.signInWithPassword({ email, password });
export const signOut = () => auth.signOut();
export const request = async (url) => {
  const { data } = await auth.getSession();
  return fetch(url, { headers: { Authorization: `Bearer ${data.session.access_token}` } });
};
