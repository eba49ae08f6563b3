// Rows of single requests: a valid token, and the first request of a new session.

import { createSession } from "../../pkg/dist/inline.js";
import { auth0Fetcher, kyClient, supabaseClient } from "../peers/wrappers.mjs";
import { jwt, tokenResponse } from "./tokens.mjs";

const URL = "https://project.supabase.test/rest/v1/orders";
const ORDER = { article: "4711", count: 2, note: "as soon as possible" };

const post = () => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(ORDER),
});

/** Transports: one makes a Response for each call, as any must; one has it ready. */
const ready = { status: 200, ok: true, url: "", headers: new Headers(), body: null };
const transports = { response: async () => new Response(null), ready: async () => ready };

/** What is written by hand when no package is used: a copy of the headers, and a field set. */
const byHand = (transport, token) => (input, init) => {
  const headers = new Headers(init?.headers);
  headers.set("Authorization", `Bearer ${token}`);
  return transport(input, { ...init, headers });
};

let sessions = 0;

function everfresh(transport) {
  const session = createSession({
    refresh: "https://auth.test/token",
    name: `requests-${(sessions += 1)}`,
    origins: ["https://project.supabase.test"],
    fetch: transport,
  });
  session.start(tokenResponse(sessions, 1));
  return session;
}

const supabaseSession = () => ({
  ...tokenResponse("supabase", 1),
  expires_at: Math.floor(Date.now() / 1_000) + 3_600,
  user: { id: "user-1" },
});

/** `[name, call]` for requests with a valid token; `kind` names the transport. */
export function validTokenCalls(kind, method) {
  const transport = transports[kind];
  const token = jwt();
  const init = method === "POST" ? post : () => undefined;
  const hand = byHand(transport, token);
  const session = everfresh(transport);
  const calls = [
    ["bare stub", () => transport(URL, init())],
    ["new Headers + set, by hand", () => hand(URL, init())],
    ["everfresh", () => session.fetch(URL, init())],
  ];
  if (kind === "ready") return calls; // the peers want a true Response
  const api = kyClient({ transport, token: () => token });
  const supabase = supabaseClient({ transport, session: supabaseSession() });
  const auth0 = auth0Fetcher({ transport, token: () => token });
  return [
    ...calls,
    ["ky", () => (method === "POST" ? api.post(URL, { json: ORDER }) : api(URL))],
    ["@supabase/supabase-js", () => supabase.fetch(URL, init())],
    ["@auth0/auth0-spa-js", () => auth0.fetchWithAuth(URL, init())],
  ];
}

/** `[name, call]` for all that there is between nothing and the first authorised response. */
export function startUpCalls() {
  const transport = transports.response;
  const token = jwt();
  return [
    ["bare stub", () => transport(URL)],
    ["new Headers + set, by hand", () => byHand(transport, token)(URL)],
    [
      "everfresh",
      async () => {
        const session = everfresh(transport);
        await session.fetch(URL);
        session.dispose();
      },
    ],
    ["ky", () => kyClient({ transport, token: () => token })(URL)],
    [
      "@supabase/supabase-js",
      () => supabaseClient({ transport, session: supabaseSession() }).fetch(URL),
    ],
    ["@auth0/auth0-spa-js", () => auth0Fetcher({ transport, token: () => token }).fetchWithAuth(URL)],
  ];
}
