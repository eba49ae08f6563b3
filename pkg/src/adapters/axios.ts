// axios: the requests of an instance through a session.

import { Axios, getAdapter } from "axios";
import type { AxiosAdapter, AxiosInstance, AxiosResponse, InternalAxiosRequestConfig } from "axios";

import type { Session } from "../types.ts";

const attached = new WeakMap<AxiosInstance, () => void>();

/**
 * Sends the requests of an instance through the session. Attached again, it replaces what was there.
 *
 * @param options - `transport`: "fetch" is `session.fetch`; "xhr" keeps the adapter that the instance
 * has, for upload progress in browsers, or Node.js's own ["fetch"]. With both the address that is sent to
 * decides about the token, after all interceptors
 * @returns detaches it
 * @example const detach = attachSession(axios.create({ baseURL: "/api" }), session);
 */
export function attachSession(
  instance: AxiosInstance,
  session: Session,
  options: { readonly transport?: "fetch" | "xhr" | undefined } = {},
): () => void {
  attached.get(instance)?.();
  const undo = (options.transport === "xhr" ? byHeader : byFetch)(instance, session);
  const detach = () => {
    if (attached.get(instance) !== detach) return;
    attached.delete(instance);
    undo();
  };
  attached.set(instance, detach);
  return detach;
}

function byFetch({ defaults }: AxiosInstance, session: Session): () => void {
  const { adapter, env } = defaults;
  Object.assign(defaults, { adapter: "fetch", env: { ...env, fetch: session.fetch } });
  return () => void Object.assign(defaults, { adapter, env });
}

function byHeader({ interceptors }: AxiosInstance, session: Session): () => void {
  // The adapter is wrapped request by request: one that is set later, or for one request, counts too.
  const added = interceptors.request.use((config) => {
    const { adapter } = config;
    return Object.assign(config, {
      adapter: (last: InternalAxiosRequestConfig) => send(last, getAdapter(adapter, last), session),
    });
  });
  return () => interceptors.request.eject(added);
}

/** Sends what no interceptor can change any more, and heals a 401 once. */
async function send(
  config: InternalAxiosRequestConfig,
  adapter: AxiosAdapter,
  session: Session,
): Promise<AxiosResponse> {
  const { headers } = config;
  // Without defaults, it puts the address together as the adapters do.
  const url = new Axios({}).getUri(config);
  const sent = headers.has("Authorization") ? null : await whileWanted(config, session.authorize(url));
  if (!sent) return adapter(config);
  try {
    headers.set("Authorization", sent);
    const first = adapter(config);
    const { status } = await first.catch((error) => Object(error?.response));
    const newer = status === 401 && (await whileWanted(config, session.reauthorize(url, sent)).catch(() => null));
    if (!newer) return await first;
    headers.set("Authorization", newer);
    return await adapter(config);
  } finally {
    // The caller may send the same configuration again, and elsewhere.
    headers.delete("Authorization");
  }
}

/** Null once the caller has given the request up: the adapter says so in its own words. */
async function whileWanted(
  { signal, cancelToken }: InternalAxiosRequestConfig,
  header: Promise<string | null>,
): Promise<string | null> {
  let giveUp = () => {};
  const unwanted = new Promise<null>((resolve) => (giveUp = () => resolve(null)));
  if (signal?.aborted) giveUp();
  signal?.addEventListener?.("abort", giveUp);
  // A token may be shared by many requests; axios lets go of what its promise would call.
  const heard = cancelToken?.promise.then(giveUp) as { cancel?(): void } | undefined;
  return Promise.race([unwanted, header]).finally(() => {
    signal?.removeEventListener?.("abort", giveUp);
    heard?.cancel?.();
  });
}
