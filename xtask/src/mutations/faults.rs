//! What the machine and the engine would be if something in them were forgotten or turned round.

/// One deliberate fault: `from` stands once in `file`, and becomes `to`, in which `FAULT` says
/// whether this fault is the one that is tried.
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
        "core/session/refreshing.rs",
        "self.look(queued.refresh, Lock(Some(ticket)), None, ctx);",
        "if FAULT {
                    self.make_key(queued.refresh, Lock(Some(ticket)), false, ctx);
                } else {
                    self.look(queued.refresh, Lock(Some(ticket)), None, ctx);
                }",
    ),
    fault(
        "the key is not stored before it is sent",
        "core/session/refreshing.rs",
        "let write = self.share(Sharing::WithoutTokens, ctx);",
        "let write = if FAULT {
            WriteId(ctx.read().0)
        } else {
            self.share(Sharing::WithoutTokens, ctx)
        };",
    ),
    fault(
        "retries make a new key",
        "core/session/refreshing.rs",
        "if self.record.pending_key().is_none() {",
        "if FAULT || self.record.pending_key().is_none() {",
    ),
    fault(
        "without a lock the tabs do not wait for each other's keys",
        "core/session/refreshing.rs",
        "until = until + entropy::below(&mut ctx.entropy, SETTLE);",
        "until = if FAULT { ctx.now() + 1 } else { until + entropy::below(&mut ctx.entropy, SETTLE) };",
    ),
    fault(
        "another tab's attempt is not respected",
        "core/session/refreshing.rs",
        "match (self.peer_attempt(settled, ctx), settled, self.record.pending_key()) {",
        "match (self.peer_attempt(settled, ctx).filter(|_| !FAULT), settled, self.record.pending_key()) {",
    ),
    fault(
        "the lock is never released",
        "core/session/refresh_state.rs",
        "if let Some(ticket) = self.0 {",
        "if let Some(ticket) = self.0.filter(|_| !FAULT) {",
    ),
    fault(
        "a gateway's 5xx is taken for final",
        "core/verdict.rs",
        "500..=599 => Self::Transient { error, retry_after },",
        "500..=599 if FAULT => signed_out(EndReason::Revoked),
            500..=599 => Self::Transient { error, retry_after },",
    ),
    fault(
        "a newer generation does not win",
        "core/record.rs",
        "if token_set.rank() > self.token_set.rank() {",
        "let better = token_set.rank() > self.token_set.rank();
        if if FAULT { token_set.rank().1 > self.token_set.rank().1 } else { better } {",
    ),
    fault(
        "other tabs' tokens are not adopted",
        "core/session/merge.rs",
        "if self.behind() > 0 && self.record.token_set.tokens.is_some() {",
        "if !FAULT && self.behind() > 0 && self.record.token_set.tokens.is_some() {",
    ),
    fault(
        "a session's first tokens are told twice",
        "core/session/live.rs",
        "None => Event::Started,
        });",
        "None => Event::Started,
        });
        if FAULT && known.is_none() {
            ctx.emit(Event::Refreshed { reason });
        }",
    ),
    fault(
        "new tokens are not announced",
        "core/session/response.rs",
        "self.announce(Sharing::WithTokens, ctx);",
        "if !FAULT {
            self.announce(Sharing::WithTokens, ctx);
        }",
    ),
    fault(
        "new tokens are not stored",
        "core/session/response.rs",
        "ctx.settle_refreshes();
        let write = ctx.write(&self.record);",
        "ctx.settle_refreshes();
        let write = if FAULT { crate::core::ids::WriteId(ctx.read().0) } else { ctx.write(&self.record) };",
    ),
    fault(
        "no tab answers a tab that asks for tokens",
        "core/session/merge.rs",
        "if self.current.is_some() && self.behind() == 0 {",
        "if !FAULT && self.current.is_some() && self.behind() == 0 {",
    ),
    fault(
        "Retry-After is ignored",
        "core/verdict.rs",
        "408 | 409 | 421 | 423 | 425 | 429 => Self::Transient { error, retry_after },",
        "429 if FAULT => Self::Transient { error, retry_after: None },
            408 | 409 | 421 | 423 | 425 | 429 => Self::Transient { error, retry_after },",
    ),
    fault(
        "what holds one tab back does not hold the others",
        "core/record.rs",
        "self.delay(other.backoff);",
        "if !FAULT {
            self.delay(other.backoff);
        }",
    ),
    fault(
        "the breaker never opens",
        "core/retry.rs",
        "let free = oldest + WINDOW;",
        "let free = oldest + if FAULT { 0 } else { WINDOW };",
    ),
    fault(
        "jitter is dropped",
        "core/session/live.rs",
        "jitter: entropy::below(&mut ctx.entropy, ctx.policy.jitter),",
        "jitter: if FAULT {
                ctx.policy.jitter / 2
            } else {
                entropy::below(&mut ctx.entropy, ctx.policy.jitter)
            },",
    ),
    fault(
        "input in other tabs is not heard",
        "core/session/user_input.rs",
        "if at <= ctx.now() + CLOCK_SLACK && self.activity.heard(at.min(ctx.now())) {",
        "if !FAULT && at <= ctx.now() + CLOCK_SLACK && self.activity.heard(at.min(ctx.now())) {",
    ),
    fault(
        "a hold does not count as input",
        "core/session/mod.rs",
        "self.ctx.holds = count(self.ctx.holds);",
        "if !FAULT {
            self.ctx.holds = count(self.ctx.holds);
        }",
    ),
    fault(
        "the maximum age is missed",
        "core/session/live.rs",
        "&& at < end.0",
        "&& at < end.0
            && !FAULT",
    ),
    fault(
        "waking brings input first and ends second",
        "core/session/mod.rs",
        "&& (live.pending_reread.is_none() || live.due_end(ctx).is_none())",
        "&& (FAULT || live.pending_reread.is_none() || live.due_end(ctx).is_none())",
    ),
    fault(
        "a sleep is not felt",
        "core/clock.rs",
        "self.moment = self.moment + leap;",
        "if FAULT {
                self.origin += leap;
            } else {
                self.moment = self.moment + leap;
            }",
    ),
    fault(
        "ends are decided without looking at what other tabs know",
        "core/session/end_decision.rs",
        "let read = ctx.read();
            let until = ctx.now() + STORAGE_WAIT;",
        "let read = if FAULT { ReadId(ctx.id()) } else { ctx.read() };
            let until = ctx.now() + if FAULT { 0 } else { STORAGE_WAIT };",
    ),
    fault(
        "another user's sign-in is taken for one's own",
        "core/session/merge.rs",
        "if ours.is_none() || ours != theirs.token_set.subject.as_deref() {",
        "if !FAULT && (ours.is_none() || ours != theirs.token_set.subject.as_deref()) {",
    ),
    fault(
        "a sign-out does not stop the refresh under way",
        "core/session/end_decision.rs",
        "core::mem::take(&mut self.refresh_state).abandon(ctx);",
        "if !FAULT {
            core::mem::take(&mut self.refresh_state).abandon(ctx);
        }",
    ),
    fault(
        "a sign-out is not told to the server",
        "core/session/end_decision.rs",
        "if let Some(request) = revoke {",
        "if let Some(request) = revoke.filter(|_| !FAULT) {",
    ),
    fault(
        "a failed revocation is not tried again",
        "core/session/revoking.rs",
        "if revocation.sent.is_none() && (wake",
        "if !FAULT && revocation.sent.is_none() && (wake",
    ),
    fault(
        "an ended session keeps its lease",
        "core/session/view.rs",
        "            _ => None,
        };
        let same",
        "            _ if FAULT => self.ctx.leased.clone(),
            _ => None,
        };
        let same",
    ),
    fault(
        "waiters are dropped",
        "core/session/settling.rs",
        "None => self.waiters.push(waiter),",
        "None if FAULT => drop(waiter),
                None => self.waiters.push(waiter),",
    ),
    fault(
        "waiters are settled and kept",
        "core/session/settling.rs",
        "Some(outcome) => self.settle(waiter.id, outcome),",
        "Some(outcome) => {
                    self.settle(waiter.id, outcome);
                    if FAULT {
                        self.waiters.push(waiter);
                    }
                }",
    ),
    fault(
        "waiters have no bound",
        "core/session/settling.rs",
        "(waiter.until <= now).then_some(",
        "(waiter.until <= now && !FAULT).then_some(",
    ),
    fault(
        "an attempt has no bound",
        "core/session/refreshing.rs",
        "let until = sent + ctx.policy.timeout;",
        "let until = if FAULT { Moment::NEVER } else { sent + ctx.policy.timeout };",
    ),
    fault(
        "the lock is waited for without a bound",
        "core/session/refreshing.rs",
        "let until = now + ctx.policy.timeout + LOCK_SLACK;",
        "let until =
            if FAULT { Moment::NEVER } else { now + ctx.policy.timeout + LOCK_SLACK };",
    ),
    fault(
        "a page that is about to stop goes on",
        "core/session/mod.rs",
        "let stays = !matches!(input, Input::Leaving);",
        "let stays = FAULT || !matches!(input, Input::Leaving);",
    ),
    fault(
        "the fence is gone: an answer is taken whatever attempt it belongs to",
        "core/session/response.rs",
        "RefreshState::AwaitingResponse(sending) if sending.attempt == attempt => sending,",
        "RefreshState::AwaitingResponse(sending) if FAULT || sending.attempt == attempt => sending,",
    ),
    fault(
        "superseded is taken for final",
        "core/verdict.rs",
        "_ if says(&[\"superseded\"]) => Self::Superseded,",
        "_ if says(&[\"superseded\"]) && !FAULT => Self::Superseded,",
    ),
    fault(
        "a success without tokens is taken for final",
        "core/verdict.rs",
        "200..=299 if words.is_empty() => Self::Transient { error, retry_after },",
        "200..=299 if FAULT => signed_out(EndReason::Revoked),
            200..=299 if words.is_empty() => Self::Transient { error, retry_after },",
    ),
    fault(
        "a call that comes while the engine works is swallowed",
        "engine/drain.rs",
        "state.inbox.push(happening);",
        "if FAULT && self.working.get() {
                return;
            }
            state.inbox.push(happening);",
    ),
    fault(
        "what goes wrong with one effect skips the rest of the drain",
        "engine/drain.rs",
        "self.perform(effect, now.wall);",
        "if FAULT && matches!(effect, Effect::Broadcast(_)) {
                    return;
                }
                self.perform(effect, now.wall);",
    ),
    fault(
        "an answer is judged by its status alone",
        "engine/endpoint.rs",
        "let mut words: Vec<_> = codes().map(word).collect();",
        "let mut words: Vec<_> = codes().filter(|_| !FAULT).map(word).collect();",
    ),
    fault(
        "a date in Retry-After is counted on the local clock",
        "engine/endpoint.rs",
        "self.date::<F>().unwrap_or(wall);",
        "self.date::<F>().filter(|_| !FAULT).unwrap_or(wall);",
    ),
    fault(
        "a write replaces what lies there",
        "engine/records.rs",
        "ReadResult::Record(stored) => joined.join(*stored),",
        "ReadResult::Record(stored) if !FAULT => joined.join(*stored),
            ReadResult::Record(_) => {}",
    ),
];
