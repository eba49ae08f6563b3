// `session.fetch`: the platform's fetch with the session's token.

import type { FetchInput } from "./allowed-origins.ts";
import type { Engine, Lease } from "./engine.ts";
import type { Settings } from "./options.ts";
import { prepare, release, type ReplayableRequest, send } from "./replayable-request.ts";
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
  const found = tokenFor(session, ask, request.once ? STREAM_VALIDITY : 0, request.signal);
  const waited = found instanceof Promise;
  const lease = waited ? await found : found;
  requests.sent += 1;
  const response = await send(request, transport, lease?.token, waited);
  // In a function of its own: what an async function holds, it saves at each await.
  return response.status === 401 || settings.isUnauthorized || settings.renewalHeader || request.request
    ? await conclude(session, ask, request, transport, lease, response)
    : response;
}

/** Looks at a response, and sends the request again if a newer token may help. */
async function conclude(
  session: Engine,
  ask: Ask,
  request: ReplayableRequest,
  transport: typeof fetch,
  lease: Lease | undefined,
  response: Response,
): Promise<Response> {
  if (lease) {
    adoptRenewed(session, response, lease);
    const { isUnauthorized } = session.settings;
    const refused = isUnauthorized
      ? await says(isUnauthorized, response, session)
      : response.status === 401;
    if (refused && request.once) session.run((rust) => rust.unauthorized(undefined, lease.id));
    else if (refused) {
      let newer: Lease | undefined;
      try {
        request.signal?.throwIfAborted();
        newer = await ask("newer", lease.id, request.signal);
      } catch (error) {
        discard(response);
        throw error;
      }
      if (newer) {
        discard(response);
        session.requests.resent += 1;
        response = await send(request, transport, newer.token, true);
        adoptRenewed(session, response, newer);
      }
    }
  }
  release(request);
  return response;
}

/** It will not be read. */
function discard({ body }: Response): void {
  body?.cancel().catch(() => {});
}

function adoptRenewed(session: Engine, response: Response, lease: Lease): void {
  const { renewalHeader } = session.settings;
  const renewed = renewalHeader && response.headers.get(renewalHeader);
  // A redirect may have led to a server that must not choose our token.
  if (renewed && (!response.url || session.allow(response.url))) {
    session.adopt(renewed.replace(/^Bearer +/i, ""), lease.id);
  }
}

/** What the application's own check says. */
async function says(
  isUnauthorized: NonNullable<Settings["isUnauthorized"]>,
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
