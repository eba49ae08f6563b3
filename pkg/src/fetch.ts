// `session.fetch`: the platform's fetch with the session's token.

import type { FetchInput } from "./origins.ts";
import { type Call, prepare } from "./replay.ts";
import type { Shared } from "./shared.ts";

/** For how long the token of a request that cannot be repeated must still be good. */
const STREAM_VALIDITY = 5_000;

/** Sends a request for one handle of a session. */
export async function sessionFetch(
  session: Shared,
  owner: object,
  input: FetchInput,
  init: RequestInit | undefined,
): Promise<Response> {
  const { requests, settings } = session;
  const transport = settings.fetch ?? globalThis.fetch;
  const call = session.origins.allow(input) ? prepare(input, init) : undefined;
  if (!call) {
    requests.passed += 1;
    return transport(input, init);
  }

  const lease =
    (call.once ? undefined : session.usableLease()) ??
    (await session.token(owner, call.once ? STREAM_VALIDITY : 0, call.signal));
  requests.sent += 1;
  if (!lease) return transport(input, init);
  const response = await send(session, call, transport, lease);
  if (!(await isUnauthorized(session, response))) {
    call.release();
    return response;
  }

  if (call.once) {
    session.report(lease.id);
    return response;
  }
  const newer = await session.heal(owner, lease.id, call.signal);
  if (!newer) {
    call.release();
    return response;
  }
  response.body?.cancel().catch(() => {});
  requests.resent += 1;
  const second = await send(session, call, transport, newer);
  call.release();
  return second;
}

async function send(
  session: Shared,
  call: Call,
  transport: typeof fetch,
  lease: { id: number; token: string },
): Promise<Response> {
  const response = await call.send(transport, lease.token);
  const { renewalHeader } = session.settings;
  const renewed = renewalHeader && response.headers.get(renewalHeader);
  // A redirect may have led to somebody who must not choose our token.
  const ours = !response.url || session.origins.allow(response.url);
  if (renewed && ours) session.adopt(renewed.replace(/^Bearer +/i, ""), lease.id);
  return response;
}

async function isUnauthorized({ settings, log }: Shared, response: Response): Promise<boolean> {
  if (!settings.isUnauthorized) return response.status === 401;
  try {
    return await settings.isUnauthorized(response);
  } catch (error) {
    log("error", "isUnauthorized threw; the response is taken as it is", error);
    return false;
  }
}
