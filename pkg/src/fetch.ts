// `session.fetch`: the platform's fetch with the session's token.

import { throwIfAborted } from "./aborted.ts";
import { type FetchInput, pageBase } from "./allowed-origins.ts";
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
  throwIfAborted(signal);
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
  const { requests, settings, users } = session;
  const transport = session.transport();
  const request = prepare(input, init, session.allow);
  if (!request) {
    requests.passed += 1;
    const response = await transport(input, init);
    if (response.status === 401) session.suspect(response.url);
    return response;
  }
  const found = request.waits
    ? tokenFor(session, ask, request.once ? STREAM_VALIDITY : 0, request.signal)
    : session.usableLease() ?? session.lastLease();
  const waited = found instanceof Promise;
  const lease = waited ? await found : found;
  requests.sent += 1;
  const response = await send(request, transport, session.carries(lease, users), waited);
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
    if (request.heals && (await isRefused(session, response))) {
      let newer: Lease | undefined;
      try {
        throwIfAborted(request.signal);
        newer = await heal(session, ask, request, lease);
      } catch (error) {
        discard(response);
        throw error;
      }
      if (newer) {
        discard(response);
        session.requests.resent += 1;
        response = await send(request, transport, session.carries(newer), true);
        adoptRenewed(session, response, newer);
        if (await isRefused(session, response)) session.refusals.add(placeOf(request), newer.id);
      }
    }
  }
  release(request);
  return response;
}

/** The Authorization value for an address; null when it gets none. @internal */
export async function authorizationFor(
  session: Engine,
  ask: Ask,
  address: string,
): Promise<string | null> {
  if (session.cookies || !session.allow(address, pageBase())) return null;
  return bearer(session, await tokenFor(session, ask, 0, undefined));
}

/** A newer Authorization value than one that got a 401 there; null when none can help. @internal */
export async function newerAuthorization(
  session: Engine,
  ask: Ask,
  address: string,
  sent: string,
): Promise<string | null> {
  const request = { address, base: pageBase() };
  const lease = session.allow(address, request.base) && session.leaseOf(sent.replace(/^Bearer /, ""));
  const newer = lease && (await heal(session, ask, request, lease));
  if (!newer) return null;
  session.refusals.add(placeOf(request));
  return bearer(session, newer);
}

function bearer(session: Engine, lease: Lease | undefined): string | null {
  const token = session.carries(lease);
  return token ? `Bearer ${token}` : null;
}

/** What is known of a request that got a 401. */
type Refused = Pick<ReplayableRequest, "address" | "base"> & Partial<ReplayableRequest>;

/** Where a request goes, for the memory of what it got. */
function placeOf({ address, base }: Refused): string {
  const { origin, pathname } = new URL(address, base);
  return origin + pathname;
}

/** Waits for a newer token than the one that got a 401, if there may be one. */
function heal(
  session: Engine,
  ask: Ask,
  request: Refused,
  { id }: Lease,
): Promise<Lease | undefined> | undefined {
  const { refusals } = session;
  if (refusals.any && session.lastLease()?.id === id && refusals.stands(placeOf(request), id)) {
    return undefined;
  }
  if (!request.once) return ask("newer", id, request.signal);
  // It cannot be sent again, but others may profit.
  session.run((rust) => rust.unauthorized(undefined, id));
  return undefined;
}

/** No newer token heals these (RFC 6750 section 3.1, RFC 9470 section 3). */
const INSUFFICIENT = /\binsufficient_(scope|user_authentication)\b/;

/** Whether a response means that the token is no longer good. */
function isRefused(session: Engine, response: Response): boolean | Promise<boolean> {
  const { isUnauthorized } = session.settings;
  if (!isUnauthorized && response.status !== 401) return false;
  if (INSUFFICIENT.test(response.headers?.get("WWW-Authenticate") ?? "")) return false;
  return isUnauthorized ? says(isUnauthorized, response, session) : true;
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
