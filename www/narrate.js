// Turns what the session and the network do into marks and sentences.

import { BROKEN } from "./network.js";
import { duration, messageOf, offset, whyEnded, whyRefreshed } from "./words.js";

/** Listens to everything; `tell` hears of network calls. */
export function narrate({ session, history, write }) {
  let skew = 0;
  let refresh = null;
  let sprung = () => {};
  let generation = 0;
  let refusedAt = 0;
  let signedIn = false;

  session.subscribe(() => {
    const { snapshot } = session;
    if (snapshot.expiresAt === null) generation = 0;
    if (snapshot.expiresAt === null || snapshot.generation === generation) return;
    generation = snapshot.generation;
    const { exp, iat } = snapshot.claims;
    const from = snapshot.expiresAt - (exp - iat) * 1_000;
    const now = Date.now();
    // Servers round to seconds; a token restored from storage is older.
    history.addToken(generation, now - from < 1_500 ? now : from, snapshot.expiresAt);
  });

  session.on("started", ({ at }) => {
    const restored = !signedIn;
    signedIn = false;
    const { snapshot } = session;
    const left = duration(snapshot.expiresAt - at);
    const what = restored ? "Still signed in." : "Signed in.";
    const why = restored
      ? `The session was found again; its token is good for another ${left}.`
      : `The first token is good for ${left}.`;
    write("good", what, why, at);
  });

  session.on("refreshed", ({ at, reason }) => {
    const now = session.snapshot.generation;
    const mark = history.refreshes.at(-1);
    if (reason !== null && mark?.ok) mark.label ||= reason;
    const replayed = refresh?.replayed
      ? " The server knew the rotation key and gave the lost answer again."
      : "";
    const why = `A new token, as ${whyRefreshed(reason)}.${replayed}`;
    write("good", `Refreshed (${reason ?? "other tab"}): token ${now}.`, why, at);
  });

  session.on("refresh-failed", ({ at, reason, retryAt, error }) => {
    const next = retryAt === null ? "" : ` Next attempt in ${duration(retryAt - Date.now())}.`;
    const detail = refresh?.problem ? `${refresh.problem}` : messageOf(error);
    const keeps = error.retryable ? " The session is kept." : "";
    write("bad", `Refresh failed (${reason}).`, `${sentence(detail)}${keeps}${next}`, at);
  });

  session.on("stale", ({ at }) => {
    const why = "The token has run out and no new one could be had; only the server may say no.";
    write("bad", "No valid token.", why, at);
  });

  session.on("warning", ({ at, reason, endsAt }) => {
    const why = reason === "idle" ? "Nobody uses the page." : "Its longest allowed time is near.";
    write("note", `The session ends in ${duration(endsAt - at)}.`, why, at);
  });

  session.on("extended", ({ at }) => {
    write("good", "Extended.", "Somebody used the page before the end.", at);
  });

  session.on("signed-out", ({ at, reason }) => {
    history.cutToken(at);
    history.ends.push({ at, label: reason });
    const server = refresh?.problem && ["revoked", "reuse", "login-required"].includes(reason)
      ? ` It said: ${refresh.problem}.`
      : "";
    const tone = reason === "signed-out" ? "note" : "bad";
    write(tone, `Signed out (${reason}).`, `${sentence(whyEnded(reason))}${server}`, at);
  });

  session.on("claims-changed", ({ at }) => {
    write("note", "The claims have changed.", "The new token says something else of the user.", at);
  });

  session.on("subject-changed", ({ at }) => {
    write("bad", "Somebody else signed in.", "This tab will not act in their name.", at);
  });

  session.on("clock-skew", ({ at, skew: found }) => {
    skew = found;
    const why = "Lifetimes are counted as durations, so nothing breaks.";
    write("note", `The server’s clock is ${offset(found)}.`, why, at);
  });

  session.on("storage-degraded", ({ at }) => {
    write("note", "Storage cannot be used.", "The session lives in memory until reload.", at);
  });

  session.on("revoke-failed", ({ at, retryAt }) => {
    const why = `You are signed out here all the same. Next attempt in ${duration(retryAt - at)}.`;
    write("bad", "The server could not be told.", why, at);
  });

  const input = () => history.addInput(Date.now());
  for (const type of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "scroll"]) {
    addEventListener(type, input, { capture: true, passive: true });
  }
  addEventListener("offline", () => {
    history.setOffline(true, Date.now());
    write("note", "Offline.", "Nothing can be refreshed; the token at hand stays in use.");
  });
  addEventListener("online", () => {
    history.setOffline(false, Date.now());
    write("note", "Online.", "What is overdue is tried at once.");
  });

  return {
    /** How far the server's clock is ahead, as far as the session knows, in milliseconds. */
    get skew() {
      return skew;
    },
    /** Calls `listener` when the answer to a refresh was lost. */
    onDrop(listener) {
      sprung = listener;
    },
    /** A call has passed. */
    tell(call) {
      const { kind, at, took, status, replayed } = call;
      const ok = status >= 200 && status < 300;
      if (kind === "refresh") {
        refresh = call;
        const label = ok ? (replayed ? "replayed" : "") : status === 0 ? "lost" : String(status);
        history.refreshes.push({ at: at + took, ok, label });
        if (status === 0 && call.problem === BROKEN) sprung();
      }
      if (kind === "request") history.addRequest(at + took, ok);
      if (kind === "request" && status === 401 && at > refusedAt + 1_000) {
        // One of a crowd stands for all.
        refusedAt = at;
        write("note", "401 from /api/me.", `The server says: ${sentence(call.problem)}`);
      }
      if (kind === "login" && ok) signedIn = true;
      if (kind === "revoke") {
        const words = ok
          ? "The server has ended the session too."
          : "Not yet, the server could not be reached.";
        write(ok ? "note" : "bad", "Revoked:", words);
      }
    },
  };
}

function sentence(words) {
  const text = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
