import { AuthClient } from "@supabase/auth-js";

const auth = new AuthClient({
  url: `${location.origin}/supabase`,
  storage: localStorage,
  autoRefreshToken: true,
  persistSession: true,
  detectSessionInUrl: false,
});

export const signIn = () => auth.signInWithPassword({ email: "ada@app.test", password: "secret" });
export const join = () => auth.getSession();
export const request = async (url) => {
  const { data } = await auth.getSession();
  const token = data.session?.access_token;
  return (await fetch(url, { headers: { Authorization: `Bearer ${token}` } })).status;
};
