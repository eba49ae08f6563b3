// Packages that refresh by themselves, each signed in with a token that has run out, as its
// documentation says. It lies here because bare names are resolved from here.

import { readFileSync } from "node:fs";

import { OAuth2Client, OAuth2Fetch } from "@badgateway/oauth2-client";
import { GoTrueClient } from "@supabase/auth-js";
import { InMemoryWebStorage, User, UserManager, WebStorageStateStore } from "oidc-client-ts";

import { createSession } from "../../pkg/dist/inline.js";

const { dependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
const measured = ["@badgateway/oauth2-client", "@supabase/auth-js", "oidc-client-ts"];

/** The exact versions of what is compared here, by name. */
export const versions = Object.fromEntries(measured.map((name) => [name, dependencies[name]]));

export const ORIGIN = "https://auth.test";

/** Lets timers fire a hundred times as soon, until it is told to stop: some wait half a minute. */
export function hurry() {
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (act, delay, ...more) => setTimeout(act, (delay ?? 0) / 100, ...more);
  return () => {
    globalThis.setTimeout = setTimeout;
  };
}

let opened = 0;

/** By name: opens a client of a service. `use` makes a request, or what stands for it. */
export const answerers = {
  async everfresh(service) {
    const session = createSession({
      ...{ refresh: `${ORIGIN}/token`, name: `answers-${(opened += 1)}`, origins: [ORIGIN] },
      ...{ fetch: service.fetch, waitSeconds: 3, jitterSeconds: 0 },
    });
    session.start({ refreshToken: service.newest });
    return {
      use: (url) => session.fetch(url),
      signedIn: () => /active|stale|warning/.test(session.snapshot.status),
      end: () => session.dispose(),
    };
  },

  async "@supabase/auth-js"(service) {
    const items = new Map();
    const storage = {
      getItem: (key) => items.get(key) ?? null,
      setItem: (key, value) => void items.set(key, value),
      removeItem: (key) => void items.delete(key),
    };
    const expires_at = Math.floor(Date.now() / 1_000) - 5;
    items.set("session", JSON.stringify({ ...service.tokens(-5), expires_at }));
    const client = new GoTrueClient({
      ...{ url: ORIGIN, storageKey: "session", storage, fetch: service.fetch },
      ...{ autoRefreshToken: false, persistSession: true, detectSessionInUrl: false },
    });
    return { use: () => client.getSession(), signedIn: () => items.has("session"), end: () => {} };
  },

  async "oidc-client-ts"(service) {
    const store = () => new WebStorageStateStore({ store: new InMemoryWebStorage() });
    const before = globalThis.fetch;
    globalThis.fetch = service.fetch;
    const manager = new UserManager({
      ...{ authority: ORIGIN, client_id: "client", redirect_uri: `${ORIGIN}/done`, scope: "api" },
      ...{ userStore: store(), stateStore: store(), automaticSilentRenew: false, loadUserInfo: false },
      metadata: { issuer: ORIGIN, token_endpoint: `${ORIGIN}/token`, authorization_endpoint: `${ORIGIN}/auth` },
    });
    const { access_token, refresh_token } = service.tokens(-5);
    const profile = { sub: "user-1", iss: ORIGIN, aud: "client", exp: 0, iat: 0 };
    await manager.storeUser(
      new User({ access_token, refresh_token, token_type: "Bearer", scope: "api", profile, expires_at: 1 }),
    );
    return {
      // Its events of expiry do the same.
      use: () => manager.signinSilent(),
      signedIn: async () => (await manager.getUser()) !== null,
      end: () => {
        globalThis.fetch = before;
      },
    };
  },

  async "@badgateway/oauth2-client"(service) {
    let lost = false;
    const client = new OAuth2Client({ server: ORIGIN, clientId: "client", tokenEndpoint: "/token", fetch: service.fetch });
    const before = globalThis.fetch;
    globalThis.fetch = service.fetch;
    const { access_token, refresh_token } = service.tokens(-5);
    const fetcher = new OAuth2Fetch({
      client,
      scheduleRefresh: false,
      getStoredToken: () => ({ accessToken: access_token, refreshToken: refresh_token, expiresAt: 1 }),
      // Asked for when a refresh failed: an application would show its login page.
      getNewToken: () => {
        lost = true;
        return null;
      },
    });
    return {
      use: (url) => fetcher.fetch(url),
      signedIn: () => !lost,
      end: () => {
        globalThis.fetch = before;
      },
    };
  },
};
