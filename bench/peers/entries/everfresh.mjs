import { createSession } from "everfresh";

const session = createSession({ refresh: "/auth/refresh" });

export const signIn = (tokens) => session.start(tokens);
export const signOut = () => session.signOut();
export const request = (url) => session.fetch(url);
