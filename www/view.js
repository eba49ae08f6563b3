// The session in numbers: status, bars, facts, counters.

import { IDLE, JITTER, LEAD, nextRefresh } from "./settings.js";
import { duration, nameOf, offset, until, whyEnded } from "./words.js";

const part = (id) => document.getElementById(id);

/** Draws what `draw(now, token, skew, offline)` is given; writes to the page only what has changed. */
export function createView(session) {
  const facts = list(part("facts"), {
    generation: "Generation",
    expires: "Expires in",
    refresh: "Refresh in",
    ends: "Ends in",
    skew: "Server’s clock",
    subject: "Subject",
  });
  const counters = list(part("counters"), {
    refreshes: "refreshes",
    healed: "after a 401",
    failed: "failed",
    sent: "requests",
    resent: "sent again",
    waited: "waited",
  });

  function drawStatus({ status, reason, claims, subject }, offline) {
    const signedIn = ["active", "stale", "warning"].includes(status);
    const away = offline && (status === "active" || status === "stale");
    text(part("status"), nameOf(status) + (away ? ", offline" : ""));
    part("status").dataset.status = status;
    part("status").dataset.offline = away;
    text(part("who"), signedIn ? (claims?.name ?? subject ?? "") : "");
    show(part("starting"), status === "unknown");
    show(part("live"), signedIn);
    show(part("sign-in"), status === "signed-out");
    show(part("sign-out"), signedIn);
    const past = reason === null || reason === "none";
    text(part("ended"), past ? "Sign in as demo, with the password demo." : `The session is over: ${whyEnded(reason)}.`);
  }

  function drawToken(now, snapshot, token) {
    const { expiresAt, generation, status } = snapshot;
    const refreshAt = nextRefresh(snapshot);
    const life = Math.max(1, expiresAt - (token?.from ?? now));
    const share = (at) => `${Math.min(100, Math.max(0, 100 - ((expiresAt - at) / life) * 100))}%`;
    const lead = expiresAt - Math.min(LEAD * 1_000, life / 2);
    const earliest = expiresAt - Math.min((LEAD + JITTER) * 1_000, life / 2);
    place(part("life-lead"), share(lead), "100%");
    show(part("life-jitter"), refreshAt !== null);
    place(part("life-jitter"), share(earliest), share(lead));
    place(part("life-spent"), "0%", share(now));
    part("life-now").style.left = share(now);
    show(part("life-due"), refreshAt !== null && refreshAt > now);
    if (refreshAt !== null) part("life-due").style.left = share(refreshAt);
    text(part("token-name"), `Access token ${generation}`);
    const left = status === "stale" || expiresAt <= now ? "run out" : `${until(expiresAt, now)} left`;
    text(part("token-left"), left);
  }

  function drawIdle(now, idleAt) {
    const left = idleAt === null ? 1 : Math.max(0, (idleAt - now) / (IDLE * 1_000));
    part("idle-bar").style.transform = `scaleX(${Math.min(1, left)})`;
    const words = left > 0 ? `in ${until(idleAt, now)}` : "now";
    text(part("idle-left"), idleAt === null ? "never" : words);
  }

  function drawCounters({ refreshes, outcomes, requests }) {
    const all = Object.values(refreshes).reduce((sum, some) => sum + some, 0);
    text(counters.refreshes, all);
    text(counters.healed, refreshes.unauthorized);
    text(counters.failed, outcomes.transient + outcomes.final);
    text(counters.sent, requests.sent);
    text(counters.resent, requests.resent);
    text(counters.waited, requests.waited);
  }

  return function draw(now, token, skew, offline) {
    const { snapshot } = session;
    drawStatus(snapshot, offline);
    drawCounters(session.stats);
    if (snapshot.expiresAt === null) return;
    drawToken(now, snapshot, token);
    drawIdle(now, snapshot.idleAt);
    const { generation, expiresAt, endsAt, subject } = snapshot;
    text(facts.generation, generation);
    text(facts.expires, until(expiresAt, now));
    const next = nextRefresh(snapshot);
    text(facts.refresh, next === null ? "none" : until(next, now));
    text(facts.ends, until(endsAt, now));
    text(facts.skew, offset(skew));
    text(facts.subject, subject ?? "–");
    facts.subject.title = subject ?? "";
  };
}

/** The banner that says that the session is about to end. */
export function createToast(session) {
  const toast = part("toast");
  let closing;
  session.on("warning", ({ reason }) => {
    clearTimeout(closing);
    const idle = reason === "idle";
    text(part("toast-what"), idle ? "Still there?" : "Time is nearly up.");
    const why = idle
      ? "Nobody has used this page for a while, so the session is about to end."
      : "The session has reached its longest allowed time.";
    text(part("toast-why"), why);
    show(part("stay"), idle);
    toast.dataset.done = false;
    show(toast, true);
  });
  session.on("extended", () => {
    text(part("toast-what"), "Welcome back.");
    text(part("toast-why"), "You are here, so the session goes on.");
    toast.dataset.done = true;
    // Gone at once, it would let a click through to whatever lies below.
    closing = setTimeout(() => show(toast, false), 1_500);
  });
  session.on("signed-out", () => show(toast, false));

  return function draw() {
    const { secondsLeft } = session.snapshot;
    text(part("toast-count"), secondsLeft === null ? "" : duration(secondsLeft * 1_000));
  };
}

/** Adds a term and an empty description for each name. */
function list(parent, names) {
  const made = {};
  for (const [key, name] of Object.entries(names)) {
    const pair = document.createElement("div");
    const term = document.createElement("dt");
    term.textContent = name;
    made[key] = document.createElement("dd");
    pair.append(term, made[key]);
    parent.append(pair);
  }
  return made;
}

function text(element, value) {
  const wanted = String(value);
  if (element.textContent !== wanted) element.textContent = wanted;
}

function show(element, shown) {
  if (element.hidden !== !shown) element.hidden = !shown;
}

function place(element, from, to) {
  element.style.left = from;
  element.style.right = `calc(100% - ${to})`;
}
