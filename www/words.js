// Why things happen, in words.

const refreshes = {
  scheduled: "its planned time had come",
  unauthorized: "the server refused the old one with 401",
  demanded: "a request needed a valid one and there was none",
  explicit: "you asked for it",
  wake: "the page is back, and a refresh was overdue",
  restore: "the page was loaded, and the stored one had run out",
};

const ends = {
  none: "nobody was signed in",
  cancelled: "the page stopped the session in this tab",
  "signed-out": "you signed out",
  idle: "nobody used the page for a minute, and the last token ran out",
  "max-age": "its longest allowed time is over",
  revoked: "the server ended it for good",
  reuse: "an old refresh token came back, which looks like theft",
  "login-required": "the server wants a new sign-in",
  "subject-changed": "somebody else signed in",
  "invalid-token": "the token cannot be used",
  "corrupt-storage": "what was stored cannot be read",
};

const statuses = {
  unknown: "Starting",
  active: "Signed in",
  stale: "Waiting",
  warning: "About to end",
  "signed-out": "Signed out",
};

/** Why a new token was fetched; null is another tab's doing. */
export function whyRefreshed(reason) {
  return reason === null ? "another tab fetched it" : (refreshes[reason] ?? reason);
}

/** Why a session is over. */
export function whyEnded(reason) {
  return ends[reason] ?? reason;
}

/** A status for people. */
export function nameOf(status) {
  return statuses[status] ?? status;
}

/** Seconds to a moment, as short as can be: "12 s", "4:05", "2 h". */
export function until(at, now) {
  return at === null ? "–" : duration(Math.max(0, at - now));
}

/** A length of time. */
export function duration(milliseconds) {
  const seconds = Math.ceil(milliseconds / 1_000);
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** A difference of clocks: "+5:00". */
export function offset(milliseconds) {
  const size = Math.round(Math.abs(milliseconds) / 1_000);
  if (size < 2) return "within 30 s";
  return `${milliseconds < 0 ? "−" : "+"}${duration(size * 1_000)}`;
}

/** "1 refresh", "3 refreshes". */
export function count(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

/** What an error has to say, without its class. */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
