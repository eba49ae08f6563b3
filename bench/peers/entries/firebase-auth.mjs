import { initializeApp } from "@firebase/app";
import { getAuth, getIdToken, signInWithEmailAndPassword, signOut as end } from "@firebase/auth";

const auth = getAuth(initializeApp({ apiKey: "key", authDomain: "app.test" }));

export const signIn = (email, password) => signInWithEmailAndPassword(auth, email, password);
export const signOut = () => end(auth);
export const request = async (url) => {
  const token = await getIdToken(auth.currentUser);
  return fetch(url, { headers: { Authorization: `Bearer ${token}` } });
};
