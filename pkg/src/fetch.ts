// `session.fetch`: the platform's fetch with the session's token.

import type { FetchInput } from "./allowed-origins.ts";
import type { Engine, Lease } from "./engine.ts";
import { prepare, release, send } from "./replayable-request.ts";
import type { Ask } from "./shared-waits.ts";

/** For how long the token of a request that cannot be repeated must still be good. */
const STREAM_VALIDITY = 5_000;

/**
 * A token that is good for as many milliseconds, at once if that is possible; undefined when nobody
 * is signed in.
 *
 * @internal
 */
export function tokenFor(
  session: Engine,
  ask: Ask,
  validity: number,
  signal: AbortSignal | null | undefined,
): Lease | undefined | Promise<Lease | undefined> {
  signal?.throwIfAborted();
  const lease = validity ? undefined : session.usableLease();
  return lease ?? (session.begun ? ask("token", validity, signal) : undefined);
}

/** Sends a request. With a good token nothing is called but the transport. @internal */
export async function sessionFetch(
  session: Engine,
  ask: Ask,
  input: FetchInput,
  init: RequestInit | undefined,
): Promise<Response> {
  const { requests, settings } = session;
  const transport = settings.fetch ?? globalThis.fetch;
  const request = prepare(input, init, session.allow);
  if (!request) {
    requests.passed += 1;
    return transport(input, init);
  }
  const { once, signal } = request;
  const found = tokenFor(session, ask, once ? STREAM_VALIDITY : 0, signal);
  const waited = found instanceof Promise;
  const lease = waited ? await found : found;
  requests.sent += 1;
  let response = await send(request, transport, lease?.token, waited);
  if (lease) {
    if (settings.renewalHeader) adoptRenewed(session, response, lease);
    const { isUnauthorized } = settings;
    const refused = isUnauthorized
      ? await says(isUnauthorized, response, session)
      : response.status === 401;
    if (refused && once) session.run((rust) => rust.unauthorized(undefined, lease.id));
    const newer = refused && !once && (await newerThan(lease, ask, response, signal));
    if (newer) {
      requests.resent += 1;
      response = await send(request, transport, newer.token, true);
      if (settings.renewalHeader) adoptRenewed(session, response, newer);
    }
  }
  release(request);
  return response;
}

/** What replaces a lease that got a 401. Its response is let go of unless it is the caller's. */
async function newerThan(
  lease: Lease,
  ask: Ask,
  response: Response,
  signal: AbortSignal | null | undefined,
): Promise<Lease | undefined> {
  let kept = false;
  try {
    signal?.throwIfAborted();
    const newer = await ask("newer", lease.id, signal);
    kept = !newer;
    return newer;
  } finally {
    if (!kept) response.body?.cancel().catch(() => {});
  }
}

function adoptRenewed(session: Engine, { headers, url }: Response, lease: Lease): void {
  const renewed = headers.get(session.settings.renewalHeader!);
  // A redirect may have led to a server that must not choose our token.
  if (renewed && (!url || session.allow(url))) {
    session.adopt(renewed.replace(/^Bearer +/i, ""), lease.id);
  }
}

async function says(
  isUnauthorized: (response: Response) => boolean | Promise<boolean>,
  response: Response,
  { log }: Engine,
): Promise<boolean> {
  try {
    return await isUnauthorized(response);
  } catch (error) {
    log("error", "isUnauthorized threw; the response is taken as is", error);
    return false;
  }
}
