// `session.fetch`: the platform's fetch with the session's token.

import { TOKEN_WANTED, UNAUTHORIZED } from "./inputs.ts";
import type { FetchInput } from "./origins.ts";
import { type Call, prepare } from "./replay.ts";
import type { Engine, Lease } from "./engine.ts";

/** For how long the token of a request that cannot be repeated must still be good. */
const STREAM_VALIDITY = 5_000;

/** A token that is good for as many milliseconds; undefined when nobody is signed in. */
export async function tokenFor(
  session: Engine,
  owner: object,
  validity: number,
  signal: AbortSignal | undefined,
): Promise<Lease | undefined> {
  signal?.throwIfAborted();
  const lease = validity ? undefined : session.usableLease();
  return lease ?? (session.begun ? session.ask(owner, TOKEN_WANTED, validity, signal) : undefined);
}

/** Sends a request for one handle of a session. */
export async function sessionFetch(
  session: Engine,
  owner: object,
  input: FetchInput,
  init: RequestInit | undefined,
): Promise<Response> {
  const { requests, settings } = session;
  const transport = settings.fetch ?? globalThis.fetch;
  const call = session.allow(input) ? prepare(input, init) : undefined;
  if (!call) {
    requests.passed += 1;
    return transport(input, init);
  }

  const lease = await tokenFor(session, owner, call.once ? STREAM_VALIDITY : 0, call.signal);
  requests.sent += 1;
  if (!lease) return transport(input, init);
  let response = await send(session, call, transport, lease);
  let newer: Lease | undefined;
  if (await isUnauthorized(session, response)) {
    if (call.once) session.feed(UNAUTHORIZED, 0, lease.id);
    else newer = await session.ask(owner, UNAUTHORIZED, lease.id, call.signal);
  }
  if (newer) {
    response.body?.cancel().catch(() => {});
    requests.resent += 1;
    response = await send(session, call, transport, newer);
  }
  call.release();
  return response;
}

async function send(
  session: Engine,
  call: Call,
  transport: typeof fetch,
  lease: { id: number; token: string },
): Promise<Response> {
  const response = await call.send(transport, lease.token);
  const { renewalHeader } = session.settings;
  const renewed = renewalHeader && response.headers.get(renewalHeader);
  // A redirect may have led to somebody who must not choose our token.
  const ours = !response.url || session.allow(response.url);
  if (renewed && ours) session.adopt(renewed.replace(/^Bearer +/i, ""), lease.id);
  return response;
}

async function isUnauthorized({ settings, log }: Engine, response: Response): Promise<boolean> {
  if (!settings.isUnauthorized) return response.status === 401;
  try {
    return await settings.isUnauthorized(response);
  } catch (error) {
    log("error", "isUnauthorized threw; the response is taken as is", error);
    return false;
  }
}
