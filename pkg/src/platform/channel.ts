// The channel between the tabs of one session.

/**
 * Opens the channel, or returns undefined where there is none. Texts go to `deliver`. An open one
 * keeps pages out of the back/forward cache.
 *
 * @internal
 */
export function openChannel(
  name: string,
  deliver: (message: string) => void,
): BroadcastChannel | undefined {
  try {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => {
      if (typeof data === "string") deliver(data);
    };
    // In Node.js it would keep the process alive.
    (channel as { unref?(): void }).unref?.();
    return channel;
  } catch {
    return undefined; // not known here, or an opaque origin
  }
}
