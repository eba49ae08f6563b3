// The channel between the tabs of one session.

/** An open channel. An open one keeps pages out of the back/forward cache. @internal */
export interface Channel {
  post(message: string): void;
  close(): void;
}

/** Opens the channel, or returns undefined where there is none. Texts go to `deliver`. @internal */
export function openChannel(name: string, deliver: (message: string) => void): Channel | undefined {
  try {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => {
      if (typeof data === "string") deliver(data);
    };
    // In Node.js it would keep the process alive.
    (channel as { unref?(): void }).unref?.();
    return { post: (message) => channel.postMessage(message), close: () => channel.close() };
  } catch {
    return undefined; // not known here, or an opaque origin
  }
}
