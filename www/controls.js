// The buttons: what each does, and what it says about it.

import { revoke } from "./server.js";
import { count, duration, messageOf } from "./words.js";

/**
 * Wires every `[data-action]`. Buttons that cannot be used now stay where they are and say why.
 *
 * @returns `draw`, which brings their labels up to date
 */
export function createControls({ session, network, control, requests, write }) {
  const buttons = [...document.querySelectorAll("[data-action]")];
  const button = (action) => buttons.find((one) => one.dataset.action === action);
  let armed = false;

  const actions = {
    request: () => send(1),
    burst: () => send(10),

    async refresh() {
      write("you", "Refresh now.", "You asked for a new token before its time.");
      // What comes of it is an event, and in the log already.
      await session.refresh("button").catch(() => {});
    },

    async expire() {
      const seconds = Math.ceil(Math.max(0, session.snapshot.expiresAt - Date.now()) / 1_000) + 1;
      await control.advance(seconds);
      const why = `The server’s clock went ${seconds} s forward, and this page does not know. ` +
        "Send a request: it is refused, and healed.";
      write("you", "Token expired.", why);
    },

    async drop() {
      await control.dropNextRefresh();
      armed = true;
      const why = "It will reach the server, but the answer will be lost on the way back.";
      write("you", "Trap set for the next refresh.", why);
    },

    offline() {
      network.offline = !network.offline;
    },

    async skew() {
      const ahead = control.apart ? 0 : 300;
      await control.skew(ahead);
      const why = ahead
        ? "Tokens now carry times from the future, and the one in use has run out for the server."
        : "Tokens in use carry times from the future now; the server will refuse them once.";
      write("you", ahead ? "The server’s clock runs 5 min ahead." : "The clock is right again.", why);
    },

    async revoke() {
      await revoke(session);
      const why = "The server has ended the session; this page learns it from its next answer.";
      write("you", "Revoked on the server.", why);
    },
  };

  async function send(number) {
    const batch = requests.begin();
    const calls = Array.from({ length: number }, () => session.fetch(`/api/me#${batch.id}`));
    const results = await Promise.allSettled(calls);
    const { sends, refused, refreshes } = requests.end(batch);
    const answers = {};
    for (const { value, reason } of results) {
      const key = value ? value.status : (reason.code ?? "no answer");
      answers[key] = (answers[key] ?? 0) + 1;
    }
    const parts = Object.entries(answers).map(([key, some]) => (number > 1 ? `${some} × ${key}` : key));
    const failed = results.find(({ reason }) => reason);
    const good = answers[200] === number;
    const what = `${number > 1 ? "10 requests" : "Request"}: ${parts.join(", ")}.`;
    const healed = `${refused} refused with 401, ${count(refreshes, "refresh", "refreshes")}, ` +
      "then sent again with the new token. The caller saw none of it.";
    const plain = refreshes
      ? "Had to wait for a new token first."
      : `Sent ${number > 1 ? "each once" : "once"}, with a valid token.`;
    const bad = failed ? messageOf(failed.reason) : "The server’s refusal is handed to the caller.";
    write(good ? "good" : "bad", what, !good ? bad : refused && sends > number ? healed : plain);
  }

  function missing(one) {
    const needs = one.dataset.needs ?? "";
    const { status } = session.snapshot;
    if (needs.includes("session") && !["active", "stale", "warning"].includes(status)) {
      return "Sign in first.";
    }
    return "";
  }

  for (const one of buttons) {
    one.hidden = (one.dataset.needs ?? "").includes("control") && control === null;
    one.addEventListener("click", async () => {
      const name = one.querySelector("b").textContent;
      if (missing(one)) return write("note", `${name}?`, missing(one));
      try {
        await actions[one.dataset.action]();
      } catch (error) {
        write("bad", `${name} did not work:`, `${messageOf(error)}.`);
      }
    });
  }
  document.getElementById("no-control").hidden = control !== null;

  return {
    /** The trap has sprung. */
    disarm: () => (armed = false),
    draw() {
      for (const one of buttons) one.setAttribute("aria-disabled", String(missing(one) !== ""));
      label(button("offline"), network.offline
        ? ["Go online", "The network is off"]
        : ["Go offline", "Nothing leaves this page"]);
      label(button("drop"), armed
        ? ["Trap is set", "The next answer gets lost"]
        : ["Drop the next refresh", "Its answer gets lost on the way"]);
      label(button("skew"), control?.apart
        ? ["Set the clock right", `The server is ${duration(control.ahead)} ahead`]
        : ["Skew the clock", "The server runs 5 min ahead"]);
    },
  };
}

function label(element, [title, hint]) {
  const [bold, small] = element.children;
  if (bold.textContent !== title) bold.textContent = title;
  if (small.textContent !== hint) small.textContent = hint;
}
