// The channel between the tabs of one session.

/** Opens the channel, or returns undefined where there is none. Texts go to `deliver`. */
export function openChannel(name, deliver) {
  try {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => {
      if (typeof data === "string") deliver(0, data);
    };
    channel.unref?.(); // in Node.js it would keep the process alive
    return channel;
  } catch {
    // Not known here, or an opaque origin.
  }
}
