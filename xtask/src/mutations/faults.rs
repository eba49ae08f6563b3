//! What the machine would be if something in it were forgotten or turned round.

/// One deliberate fault: `from` stands once in `file`, and becomes `to`.
pub(super) struct Fault {
    pub(super) name: &'static str,
    pub(super) file: &'static str,
    pub(super) from: &'static str,
    pub(super) to: &'static str,
}

const fn fault(
    name: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
) -> Fault {
    Fault { name, file, from, to }
}

/// Each must be noticed by the virtual worlds.
pub(super) const FAULTS: &[Fault] = &[
    fault(
        "the lock is trusted: nobody looks whether another tab was faster",
        "session/refreshing.rs",
        "self.look(queued.errand, Lock(Some(ticket)), None, ctx);",
        "self.make_key(queued.errand, Lock(Some(ticket)), ctx);",
    ),
    fault(
        "the key is not stored before it is sent",
        "session/refreshing.rs",
        "let write = ctx.write(&self.record);
        self.announce(Announce::News, ctx);",
        "let write = ctx.read();",
    ),
    fault(
        "retries make a new key",
        "session/refreshing.rs",
        "if self.record.pending_key().is_none() {",
        "if true {",
    ),
    fault(
        "of two keys the one made last wins",
        "record.rs",
        "(self.generation, -self.made_at, self.key)",
        "(self.generation, self.made_at, self.key)",
    ),
    fault(
        "without a lock the tabs do not wait for each other's keys",
        "session/refreshing.rs",
        "let until = ctx.now() + SETTLE + entropy::below(&mut ctx.entropy, SETTLE);",
        "let until = ctx.now() + 1;",
    ),
    fault(
        "another tab's attempt is not respected",
        "session/refreshing.rs",
        "_ => match self.peer_attempt(ctx) {",
        "_ => match self.peer_attempt(ctx).filter(|_| false) {",
    ),
    fault(
        "the lock is never released",
        "session/flight.rs",
        "if let Some(ticket) = self.0 {",
        "if let Some(ticket) = self.0.filter(|_| false) {",
    ),
    fault(
        "a refusal ends the session though another tab was faster",
        "session/answering.rs",
        "if self.record.term.generation > generation && self.held.is_some() {",
        "if false {",
    ),
    fault(
        "superseded is taken for final",
        "verdict.rs",
        "400 | 401 | 403 if error_code == \"superseded\" => Self::Superseded,",
        "400 | 401 | 403 if error_code == \"superseded\" => signed_out(\"\"),",
    ),
    fault(
        "a gateway's 5xx is taken for final",
        "verdict.rs",
        "500..=599 => transient(Error::Unavailable, retry_after),",
        "500..=599 => signed_out(\"\"),",
    ),
    fault(
        "a newer generation does not win",
        "record.rs",
        "if term.rank() > self.term.rank() {",
        "if term.rank().1 > self.term.rank().1 {",
    ),
    fault(
        "other tabs' tokens are not adopted",
        "session/absorbing.rs",
        "if self.behind() > 0 && self.record.term.tokens.is_some() {",
        "if false {",
    ),
    fault(
        "the same tokens are adopted again and again",
        "session/absorbing.rs",
        "if self.behind() > 0 && self.record.term.tokens.is_some() {",
        "if self.record.term.tokens.is_some() {",
    ),
    fault(
        "new tokens are not announced",
        "session/answering.rs",
        "self.announce(Announce::Tokens, ctx);",
        "",
    ),
    fault(
        "new tokens are not stored",
        "session/answering.rs",
        "self.adopt(Some(errand.reason), ctx);
        let write = ctx.write(&self.record);",
        "self.adopt(Some(errand.reason), ctx);
        let write = ctx.read();",
    ),
    fault(
        "nobody answers a tab that asks for tokens",
        "session/absorbing.rs",
        "if self.held.is_some() && self.behind() == 0 {",
        "if false {",
    ),
    fault(
        "Retry-After is ignored",
        "verdict.rs",
        "408 | 429 => transient(Error::Unavailable, retry_after),",
        "408 | 429 => transient(Error::Unavailable, retry_after.filter(|_| false)),",
    ),
    fault(
        "what holds one tab back does not hold the others",
        "record.rs",
        "self.delay(other.hold);",
        "",
    ),
    fault(
        "the breaker never opens",
        "retry.rs",
        "let free = oldest + WINDOW;",
        "let free = oldest;",
    ),
    fault(
        "jitter is dropped",
        "session/live.rs",
        "jitter: entropy::below(&mut ctx.entropy, ctx.policy.jitter),",
        "jitter: ctx.policy.jitter / 2,",
    ),
    fault(
        "input in other tabs is not heard",
        "session/activity.rs",
        "if at <= ctx.now() + CLOCK_SLACK && self.activity.heard(at.min(ctx.now())) {",
        "if false {",
    ),
    fault(
        "input is not told to other tabs",
        "session/activity.rs",
        "if (at_once || extended ||",
        "if false && (at_once || extended ||",
    ),
    fault(
        "a hold does not count as input",
        "session/mod.rs",
        "self.ctx.holds = count(self.ctx.holds);",
        "",
    ),
    fault(
        "the maximum age is missed",
        "session/live.rs",
        "&& at < end.0",
        "&& at < end.0 && false",
    ),
    fault(
        "waking brings input first and ends second",
        "session/mod.rs",
        "if live.gate.is_none() || live.due_end(ctx).is_none() {",
        "if true {",
    ),
    fault("a sleep is not felt", "clock.rs", "self.slept += leap.max(0);", ""),
    fault(
        "ends are decided without looking at what other tabs know",
        "session/ending.rs",
        "let read = ctx.read();
            let until = ctx.now() + STORAGE_WAIT;",
        "let read = ctx.id();
            let until = ctx.now();",
    ),
    fault(
        "another user's sign-in is taken for one's own",
        "session/absorbing.rs",
        "if ours.is_none() || ours != theirs.term.subject.as_deref() {",
        "if false {",
    ),
    fault(
        "an end is not told to the other tabs",
        "session/ending.rs",
        "ctx.write(&self.record);
            self.announce(Announce::News, ctx);",
        "",
    ),
    fault(
        "a sign-out does not stop the refresh under way",
        "session/ending.rs",
        "core::mem::take(&mut self.flight).abandon(ctx);",
        "",
    ),
    fault(
        "a sign-out is not told to the server",
        "session/ending.rs",
        "if let Some(request) = revoke {",
        "if let Some(request) = revoke.filter(|_| false) {",
    ),
    fault(
        "a failed revocation is not tried again",
        "session/revoking.rs",
        "if due && self.online {",
        "if due && self.online && false {",
    ),
    fault(
        "an ended session keeps its lease",
        "session/view.rs",
        "            _ => None,
        };
        let same",
        "            _ => self.ctx.leased.clone(),
        };
        let same",
    ),
    fault(
        "waiters are dropped",
        "session/waiting.rs",
        "None => self.waiters.0.push(waiter),",
        "None => drop(waiter),",
    ),
    fault(
        "waiters are settled and kept",
        "session/waiting.rs",
        "Some(outcome) => self.settle(waiter.id, outcome),",
        "Some(outcome) => {
                    self.settle(waiter.id, outcome);
                    self.waiters.0.push(waiter);
                }",
    ),
    fault(
        "waiters have no bound",
        "session/waiting.rs",
        "(waiter.until <= now).then_some(",
        "(waiter.until <= now && false).then_some(",
    ),
    fault(
        "an attempt has no bound",
        "session/refreshing.rs",
        "let until = sent + ctx.policy.timeout;",
        "let until = Moment::NEVER;",
    ),
    fault(
        "the lock is waited for without a bound",
        "session/refreshing.rs",
        "let until = now + ctx.policy.timeout + LOCK_SLACK;",
        "let until = Moment::NEVER;",
    ),
    fault(
        "an answer that came too late is taken in",
        "session/answering.rs",
        "Flight::Sending(sending) if sending.attempt == attempt => sending,",
        "Flight::Sending(sending) => sending,",
    ),
];
