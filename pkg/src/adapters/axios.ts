// axios: the requests of an instance through a session.

import type { AxiosInstance, InternalAxiosRequestConfig } from "axios";

import type { Session } from "../types.ts";

const attached = new WeakMap<AxiosInstance, () => void>();

/**
 * Sends the requests of an instance through the session. Attached again, it replaces what was there.
 *
 * @param options - `transport`: "fetch" is `session.fetch`; "xhr" keeps the adapter that the instance
 * has, for upload progress in browsers, or Node.js's own ["fetch"]
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

/** What a request carried, so that a 401 is judged by it and healed once. */
type Sent = InternalAxiosRequestConfig & { [SENT]?: string | null };
const SENT = Symbol("everfresh");

function byHeader(instance: AxiosInstance, session: Session): () => void {
  const { request, response } = instance.interceptors;
  const outward = request.use(async (config: Sent) => {
    if (config[SENT] === undefined && !config.headers.has("Authorization")) {
      config[SENT] = await session.authorize(instance.getUri(config));
      if (config[SENT]) config.headers.set("Authorization", config[SENT]);
    }
    return config;
  });
  const inward = response.use(undefined, async (error: { config?: Sent; response?: { status: number } }) => {
    const { config } = error;
    const sent = config?.[SENT];
    if (!config || !sent || error.response?.status !== 401) throw error;
    const newer = await session.reauthorize(instance.getUri(config), sent).catch(() => null);
    if (!newer) throw error;
    config.headers.set("Authorization", newer);
    config[SENT] = null;
    return instance.request(config);
  });
  return () => {
    request.eject(outward);
    response.eject(inward);
  };
}
