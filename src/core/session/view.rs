//! How the session looks from outside, and when it wants to be called again.

use super::{Session, State, context::Context, flight::Flight, live::Live};
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

    /// The access token in use, valid or not; absent without a session.
    #[must_use]
    pub fn access_token(&self) -> Option<&str> {
        let State::Live(live) = &self.state else { return None };
        Some(&live.held.as_ref()?.tokens.access)
    }

    /// When to call `handle` with `TimerFired` if nothing else happens before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Deadline> {
        let (at, timer) = self.timers().0?;
        Some(Deadline { at, after: (at - self.ctx.now()).max(0), timer })
    }

    fn timers(&self) -> Next {
        let mut next = Next::default();
        next.set(Timer::Waiter, self.ctx.waiters.next_timeout());
        next.set(Timer::Revoke, self.ctx.revocations.next_deadline(self.ctx.online));
        match &self.state {
            State::Live(live) => live.timers(&mut next, &self.ctx),
            State::Restoring(restoring) => {
                let (timer, at) = restoring.deadline();
                next.set(timer, Some(at));
            }
            State::Unknown | State::Ended(_) | State::Disposed => {}
        }
        next
    }

    /// Tells the shell when the token that requests may carry has changed.
    pub(super) fn publish_lease(&mut self) {
        let lease = match &self.state {
            State::Live(live) if live.gate.is_none() => live.lease(&self.ctx),
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
        let wall = |at: Moment| ctx.clock.wall_at(at);
        let end = self.end(ctx).map(|(at, _)| at);
        let idle = self.activity.shared_deadline(ctx.policy.idle.filter(|_| ctx.holds == 0));
        // Seen in the steps in which other tabs see it, so that input does not change the
        // picture with every move of the pointer.
        let lag = self.idle_deadline(ctx).zip(idle).map_or(0, |(now, seen)| now - seen);
        let by_idle = self.end(ctx).is_some_and(|(at, reason)| {
            reason == EndReason::Idle && Some(at) == self.idle_deadline(ctx)
        });
        Snapshot {
            status: self.status(),
            reason: None,
            subject: self.record.term.subject.clone(),
            generation: self.held.as_ref().map_or(0, |held| held.generation.max(0)),
            expires_at: self.held.as_ref().map(|held| wall(held.expires)),
            refresh_at: self.refresh_at.map(wall),
            idle_at: idle.map(wall),
            ends_at: end.map(|at| wall(if by_idle { at - lag } else { at })),
            seconds_left: self.warned.and(end).map(|at| seconds(at - ctx.now())),
            last_error: self.last_error,
        }
    }

    fn status(&self) -> Status {
        match (&self.held, &self.flight) {
            _ if self.warned.is_some() => Status::Warning,
            _ if self.stale => Status::Stale,
            (None, _) => Status::Unknown,
            _ => Status::Active,
        }
    }

    fn timers<E: Entropy>(&self, next: &mut Next, ctx: &Context<E>) {
        let now = ctx.now();
        let ahead = |at: &Moment| *at > now;
        let held = self.held.as_ref();
        if let Some(gate) = &self.gate {
            next.set(Timer::StorageWait, Some(gate.until));
            return;
        }
        next.set(Timer::End, self.end(ctx).map(|(at, _)| at));
        next.set(Timer::Expiry, held.map(|held| held.expires).filter(ahead));
        next.set(Timer::Usable, held.map(|held| held.usable).filter(ahead));
        let refresh = self.refresh_at.filter(ahead).filter(|at| {
            matches!(self.flight, Flight::Resting)
                && self.renewable(ctx.policy.credential)
                && self.idle_deadline(ctx).is_none_or(|idle| idle > *at)
        });
        next.set(Timer::Refresh, refresh);
        if let Some((timer, at)) = self.flight.deadline(ctx.online) {
            next.set(timer, Some(at));
        }
        let warning = self.end(ctx).filter(|_| self.warned.is_none() && ctx.policy.warn > 0);
        next.set(Timer::Warning, warning.map(|(at, _)| at - ctx.policy.warn).filter(ahead));
        next.set(Timer::Share, self.activity.share_at(ctx.policy.idle, ctx.holds > 0));
        if let (Some((end, _)), Some(_)) = (self.end(ctx), self.warned) {
            let whole = Millis::from(seconds(end - now)) - 1;
            next.set(Timer::Countdown, Some(end - whole * 1_000).filter(ahead));
        }
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
