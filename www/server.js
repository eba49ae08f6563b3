// What the page asks of the server beside the session.

/** Signs in; answers with a token response. */
export async function signIn(network, username, password) {
  const response = await network.fetch("/auth/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username, password, device_name: "Demo page" }),
  });
  if (response.ok) return response.json();
  if (response.status === 401) throw new Error("Wrong user or password. Both are “demo”.");
  const wait = response.headers.get("Retry-After");
  if (response.status === 429) throw new Error(`Too many attempts. Try again in ${wait} s.`);
  throw new Error(`The server answered ${response.status}.`);
}

/** Ends the session behind this page's back (RFC 7009). */
export async function revoke(session) {
  const headers = { Authorization: `Bearer ${await session.getAccessToken()}` };
  // A token that the server refuses may revoke nothing, and the server would not say so.
  if ((await fetch("/api/me", { headers })).status === 401) await session.refresh("revoke");
  const token = await session.getAccessToken();
  const body = new URLSearchParams({ token, token_type_hint: "access_token" });
  const response = await fetch("/oauth/revoke", { method: "POST", body });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
}

/** The server's switchboard for tests, or null where it has none. */
export async function findControl() {
  try {
    const response = await fetch("demo-config.json");
    const { control } = await response.json();
    const board = new Control(new URL(control).origin);
    await board.readClock();
    return board;
  } catch {
    return null;
  }
}

class Control {
  /** How far the server's clock is ahead of this page's, in milliseconds. */
  ahead = 0;
  /** Whether it was set apart, and not only moved on as far as a token lives. */
  apart = false;
  #origin;

  constructor(origin) {
    this.#origin = origin;
  }

  async readClock() {
    this.#learn(await this.#ask("/clock"));
    this.apart = Math.abs(this.ahead) > 120_000;
  }

  /** Moves the server's clock on. */
  async advance(seconds) {
    this.#learn(await this.#ask("/clock", { advance_seconds: seconds }));
  }

  /** Sets the server's clock apart from the real one. */
  async skew(seconds) {
    this.#learn(await this.#ask("/clock", { skew_seconds: seconds }));
    this.apart = seconds !== 0;
  }

  /** The next refresh takes effect, but its answer is cut off. */
  async dropNextRefresh() {
    const route = "POST /oauth/token";
    await this.#ask("/faults", { route, kind: "drop-after-commit", times: 1 });
  }

  #learn({ now }) {
    this.ahead = now * 1_000 - Date.now();
  }

  async #ask(path, body) {
    const response = await fetch(this.#origin + path, body && {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`the switchboard answered ${response.status}`);
    return response.json();
  }
}
