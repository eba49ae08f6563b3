// Rows of a thousand calls at once: all get a 401, or all find the token run out.

import { createSession } from "../../pkg/dist/inline.js";
import { kyClient, supabaseClient } from "../peers/wrappers.mjs";
import { tokenResponse } from "./tokens.mjs";

const CALLS = 1_000;
const ORIGIN = "https://project.supabase.test";
const HOUR = 3_600_000;

/** A server as a transport: 401 for all but the newest token, and a token endpoint. */
class Server {
  static #servers = 0;
  #id = (Server.#servers += 1);
  refreshes = 0;
  tokens = tokenResponse(this.#id, 0);
  newest = this.tokens.access_token;

  transport = async (input, init) => {
    const request = typeof input === "object" && "headers" in input ? input : undefined;
    const url = request?.url ?? String(input);
    if (url.includes("/token")) {
      this.refreshes += 1;
      const tokens = tokenResponse(this.#id, this.refreshes);
      this.newest = tokens.access_token;
      return Response.json({ ...tokens, user: { id: "user-1" } });
    }
    const headers = init?.headers ?? request.headers;
    const given = headers instanceof Headers ? headers.get("Authorization") : headers.Authorization;
    return new Response(null, { status: given === `Bearer ${this.newest}` ? 200 : 401 });
  };

  /** The newest token is not good any more. */
  revoke() {
    this.newest = undefined;
  }

  /** Sends all calls at once; says what came of them. */
  async wave(call) {
    const calls = Array.from({ length: CALLS }, (_, i) => call(`${ORIGIN}/rest/v1/orders/${i}`));
    const outcomes = await Promise.allSettled(calls);
    const succeeded = outcomes.filter(({ value }) => value?.status === 200).length;
    return { succeeded, refreshes: this.refreshes };
  }
}

/** The clock of the process goes forward by an hour, as after sleep, until it is given back. */
function skipAnHour() {
  const { now } = Date;
  Date.now = () => now() + HOUR + 60_000;
  return () => {
    Date.now = now;
  };
}

/** The ideal by hand: one refresh for all, one resend each, nothing else. */
function ideal(server) {
  let token = server.tokens.access_token;
  let expires = Date.now() + HOUR;
  let refreshing;
  const refresh = () => {
    refreshing ??= (async () => {
      const response = await server.transport(`${ORIGIN}/token`, { method: "POST" });
      token = (await response.json()).access_token;
      expires = Date.now() + HOUR;
      refreshing = undefined;
    })();
    return refreshing;
  };
  const send = (url) => server.transport(url, { headers: { Authorization: `Bearer ${token}` } });
  return {
    refresh,
    token: async () => {
      if (Date.now() >= expires) await refresh();
      return token;
    },
    async fetch(url) {
      if (Date.now() >= expires) await refresh();
      const response = await send(url);
      if (response.status !== 401) return response;
      response.body?.cancel();
      await refresh();
      return send(url);
    },
  };
}

function everfresh(server) {
  const session = createSession({
    refresh: `${ORIGIN}/token`,
    name: `wave-${server.tokens.refresh_token}`,
    origins: [ORIGIN],
    jitterSeconds: 0,
    fetch: server.transport,
  });
  session.start(server.tokens);
  return session;
}

/** `[name, prepare]` for calls that all get a 401. */
export function refusedWaves() {
  const prepared = (open) => async () => {
    const server = new Server();
    const [call, end] = open(server);
    await call(ORIGIN);
    server.revoke();
    return { run: () => server.wave(call), end };
  };
  return [
    ["ideal, by hand", prepared((server) => [ideal(server).fetch])],
    [
      "everfresh",
      prepared((server) => {
        const session = everfresh(server);
        return [session.fetch, session.dispose];
      }),
    ],
    [
      "ky, one refresh by hand",
      prepared((server) => {
        const { refresh, token } = ideal(server);
        const renew = () => refresh().then(token);
        return [kyClient({ transport: server.transport, token, renew })];
      }),
    ],
  ];
}

/** `[name, prepare]` for calls that all find the token run out. */
export function expiredWaves() {
  const prepared = (open) => async () => {
    const server = new Server();
    const [call, end] = open(server);
    await call(ORIGIN);
    server.revoke();
    const wakeUp = skipAnHour();
    return {
      run: () => server.wave(call),
      end() {
        wakeUp();
        end?.();
      },
    };
  };
  return [
    ["ideal, by hand", prepared((server) => [ideal(server).fetch])],
    [
      "everfresh",
      prepared((server) => {
        const session = everfresh(server);
        return [session.fetch, session.dispose];
      }),
    ],
    [
      "ky, one refresh by hand",
      prepared((server) => [kyClient({ transport: server.transport, token: ideal(server).token })]),
    ],
    [
      "@supabase/supabase-js",
      prepared((server) => {
        const session = {
          ...server.tokens,
          expires_at: Math.floor((Date.now() + HOUR) / 1_000),
          user: { id: "user-1" },
        };
        const client = supabaseClient({ transport: server.transport, session });
        return [(url) => client.fetch(url)];
      }),
    ],
  ];
}
