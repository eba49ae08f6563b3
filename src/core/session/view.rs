//! How the session looks from outside, and when it wants to be called again.

use super::{
    Session, State,
    context::Context,
    live::{CurrentTokens, Live},
    refresh_state::RefreshState,
};
use crate::core::{
    clock::{Millis, Moment},
    effect::{Deadline, Effect},
    entropy::Entropy,
    reason::EndReason,
    snapshot::{Snapshot, Status},
    timer::{Next, Timer},
};

impl<E: Entropy> Session<E> {
    /// How it looks now: equal as long as nothing has changed.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        match &self.state {
            State::Unknown | State::Restoring(_) | State::Disposed => blank(Status::Unknown, None),
            State::Live(live) => live.snapshot(&self.ctx),
            State::Ended(ended) => {
                Snapshot { last_error: ended.error, ..blank(Status::SignedOut, Some(ended.reason)) }
            }
        }
    }

    /// The status of [`snapshot`](Self::snapshot), without the rest.
    #[must_use]
    pub fn status(&self) -> Status {
        match &self.state {
            State::Unknown | State::Restoring(_) | State::Disposed => Status::Unknown,
            State::Live(live) => live.status(),
            State::Ended(_) => Status::SignedOut,
        }
    }

    /// The access token in use, valid or not; absent without a session.
    #[must_use]
    pub fn access_token(&self) -> Option<&str> {
        let State::Live(live) = &self.state else { return None };
        Some(live.current.as_ref()?.tokens.access.as_str()).filter(|token| !token.is_empty())
    }

    /// Whether a text shows one of the tokens in use.
    #[must_use]
    pub fn has_token_in(&self, text: &str) -> bool {
        let State::Live(live) = &self.state else { return false };
        live.current.as_ref().is_some_and(|CurrentTokens { tokens, .. }| {
            // Not `str::contains`, whose search is 2 kB.
            let shows = |token: &String| {
                let mut parts = text.as_bytes().windows(token.len().max(1));
                parts.any(|part| part == token.as_bytes())
            };
            shows(&tokens.access) || tokens.refresh.as_ref().is_some_and(shows)
        })
    }

    /// When to call `handle` with `TimerFired` if nothing else happens before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Deadline> {
        let Next { timer, at } = self.timers();
        at.comes()?;
        Some(Deadline { at, after: (at - self.ctx.now()).max(0), timer })
    }

    fn timers(&self) -> Next {
        let mut next = Next::NONE;
        next.set(Timer::Waiter, self.ctx.waiters.next_timeout);
        next.set(Timer::Share, self.ctx.rewrite_at);
        next.set(Timer::Revoke, self.ctx.revocations.next_deadline());
        match &self.state {
            State::Live(live) => live.timers(&mut next, &self.ctx),
            State::Restoring(restoring) => {
                let (timer, at) = restoring.deadline();
                next.set(timer, at);
            }
            State::Unknown | State::Ended(_) | State::Disposed => {}
        }
        next
    }

    /// Tells the shell when the token that requests may carry has changed.
    pub(super) fn publish_lease(&mut self) {
        let lease = match &self.state {
            State::Live(live) if live.pending_reread.is_none() => live.lease(&self.ctx),
            _ => None,
        };
        let same = match (&lease, &self.ctx.leased) {
            (Some(new), Some(old)) => {
                new.id == old.id && new.until == old.until && new.from >= old.from
            }
            (None, None) => true,
            _ => false,
        };
        if !same {
            self.ctx.leased.clone_from(&lease);
            self.ctx.push(Effect::Lease(lease));
        }
    }
}

impl Live {
    fn snapshot<E: Entropy>(&self, ctx: &Context<E>) -> Snapshot {
        let wall = |at: Moment| at.comes().map(|at| ctx.clock.wall_at(at));
        let idle = self.idle_deadline(ctx);
        let (end, reason) = self.end(ctx);
        // Seen in the steps in which other tabs see it, so that input does not change the
        // picture with every move of the pointer.
        let lag = self.activity.lag();
        let by_idle = reason == EndReason::Idle && end == idle;
        let current = self.current.as_ref();
        Snapshot {
            status: self.status(),
            reason: None,
            subject: self.record.token_set.subject.clone(),
            generation: current.map_or(0, |current| current.generation.max(0)),
            expires_at: current.and_then(|current| wall(current.expires)),
            refresh_at: wall(self.refresh_at).filter(|_| self.will_refresh(ctx)),
            idle_at: wall(idle).map(|at| at - lag),
            ends_at: wall(end).map(|at| if by_idle { at - lag } else { at }),
            seconds_left: self.warned.map(|_| seconds(end - ctx.now())),
            last_error: self.last_error,
        }
    }

    fn status(&self) -> Status {
        match (&self.current, &self.refresh_state) {
            _ if self.warned.is_some() => Status::Warning,
            _ if self.stale => Status::Stale,
            (None, _) => Status::Unknown,
            _ => Status::Active,
        }
    }

    fn timers<E: Entropy>(&self, next: &mut Next, ctx: &Context<E>) {
        let now = ctx.now();
        if let Some(pending_reread) = &self.pending_reread {
            next.set(Timer::StorageWait, pending_reread.until);
            return;
        }
        let mut ahead = |timer, at| {
            if at > now {
                next.set(timer, at);
            }
        };
        let (end, _) = self.end(ctx);
        let (expires, usable) =
            self.current.as_ref().map_or((now, now), |current| (current.expires, current.usable));
        ahead(Timer::Expiry, expires);
        ahead(Timer::Usable, usable);
        if matches!(self.refresh_state, RefreshState::Idle) && self.will_refresh(ctx) {
            ahead(Timer::Refresh, self.refresh_at);
        }
        if self.warned.is_some() {
            let whole = Millis::from(seconds(end - now)) - 1;
            ahead(Timer::Countdown, end - whole * 1_000);
        } else if ctx.policy.warn > 0 {
            ahead(Timer::Warning, end - ctx.policy.warn);
        }
        next.set(Timer::End, end);
        if let Some((timer, at)) = self.refresh_state.deadline() {
            next.set(timer, at);
        }
        next.set(Timer::Share, self.share_at(ctx));
    }
}

/// Whole seconds, rounded up.
pub(super) fn seconds(left: Millis) -> u32 {
    u32::try_from((left + 999) / 1_000).unwrap_or(0)
}

const fn blank(status: Status, reason: Option<EndReason>) -> Snapshot {
    Snapshot {
        status,
        reason,
        subject: None,
        generation: 0,
        expires_at: None,
        refresh_at: None,
        idle_at: None,
        ends_at: None,
        seconds_left: None,
        last_error: None,
    }
}
