// Other session and fetch packages, each set up as its documentation says. It lies here because
// bare names are resolved from here.

import { readFileSync } from "node:fs";

import { Auth0Client } from "@auth0/auth0-spa-js";
import { createClient } from "@supabase/supabase-js";
import ky from "ky";

export { jwtDecode } from "jwt-decode";

const { dependencies } = JSON.parse(
  readFileSync(new URL("package.json", import.meta.url), "utf8"),
);
const measured = ["@auth0/auth0-spa-js", "@supabase/supabase-js", "jwt-decode", "ky"];

/** The exact versions of what is measured here, by name. */
export const versions = Object.fromEntries(measured.map((name) => [name, dependencies[name]]));

/** ky with a bearer token: its hooks `beforeRequest` and, for a 401, `afterResponse`. */
export function kyClient({ transport, token, renew }) {
  const authorize = (request, value) => request.headers.set("Authorization", `Bearer ${value}`);
  return ky.create({
    fetch: transport,
    hooks: {
      beforeRequest: [async ({ request }) => authorize(request, await token())],
      afterResponse: [
        async ({ request, response, retryCount }) => {
          if (!renew || response.status !== 401 || retryCount > 0) return undefined;
          const headers = new Headers(request.headers);
          headers.set("Authorization", `Bearer ${await renew()}`);
          return ky.retry({ request: new Request(request, { headers }), code: "TOKEN_REFRESHED" });
        },
      ],
    },
  });
}

/** A signed-in Supabase client; its `fetch` is what all its parts send requests with. */
export function supabaseClient({ transport, session }) {
  const items = new Map([["session", JSON.stringify(session)]]);
  return createClient("https://project.supabase.test", "anon", {
    auth: {
      autoRefreshToken: false,
      storageKey: "session",
      storage: {
        getItem: (key) => items.get(key) ?? null,
        setItem: (key, value) => items.set(key, value),
        removeItem: (key) => items.delete(key),
      },
    },
    global: { fetch: transport },
    // Node.js 20 has no WebSocket, and nothing here opens one.
    realtime: { transport: class {} },
  });
}

/** Auth0's fetcher, given the token that it would otherwise read from its cache. */
export function auth0Fetcher({ transport, token }) {
  const client = new Auth0Client({ domain: "tenant.auth0.test", clientId: "client" });
  return client.createFetcher({ fetch: transport, getAccessToken: async () => token() });
}
