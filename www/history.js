// What the timeline remembers.

/** The marks of the last minutes, oldest first. Times are epoch milliseconds. */
export class History {
  /** Access tokens: `{ generation, from, to }`, cut short when replaced. */
  tokens = [];
  /** Requests to the token endpoint: `{ at, ok, label }`. */
  refreshes = [];
  /** Requests to protected routes, those of one moment together: `{ at, ok, number }`. */
  requests = [];
  /** Moments of user input. */
  inputs = [];
  /** Times without a network: `{ from, to }`; the last one may be open. */
  outages = [];
  /** Ends of sessions: `{ at, label }`. */
  ends = [];

  /** A token begins, and the one before it ends. */
  addToken(generation, from, to) {
    this.cutToken(from);
    this.tokens.push({ generation, from, to });
  }

  /** The current token is used no longer. */
  cutToken(at) {
    const last = this.tokens.at(-1);
    if (last && last.to > at) last.to = Math.max(at, last.from);
  }

  /** An answer, or that there was none. */
  addRequest(at, ok) {
    const last = this.requests.findLast((group) => group.ok === ok);
    if (last && at - last.at < 500) last.number += 1;
    else this.requests.push({ at, ok, number: 1 });
  }

  /** Input, at most one mark a second. */
  addInput(at) {
    if (at - (this.inputs.at(-1) ?? 0) >= 1_000) this.inputs.push(at);
  }

  /** The network goes or comes back. */
  setOffline(offline, at) {
    if (offline === this.offline) return;
    if (offline) this.outages.push({ from: at, to: Infinity });
    else this.outages.at(-1).to = at;
  }

  /** Whether the network is away. */
  get offline() {
    return this.outages.at(-1)?.to === Infinity;
  }

  /** Forgets what is over for good. */
  prune(before) {
    const spans = (list) => list.filter(({ to }) => to > before);
    const points = (list) => list.filter((mark) => (mark.at ?? mark) > before);
    this.tokens = spans(this.tokens);
    this.outages = spans(this.outages);
    this.refreshes = points(this.refreshes);
    this.requests = points(this.requests);
    this.inputs = points(this.inputs);
    this.ends = points(this.ends);
  }
}
