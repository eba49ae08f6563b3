//! Callers: those who need a token, those whose token was refused, those who want a refresh.

use core::mem;

use super::{
    Session, State,
    context::Context,
    flight::{Backing, Errand, Flight, Pause},
    live::{Announce, Live},
    waiting::Want,
};
use crate::core::{
    clock::Millis,
    effect::Outcome,
    entropy::Entropy,
    error::Error,
    grant::Grant,
    ids::{LeaseId, WaiterId},
    reason::RefreshReason,
};

impl<E: Entropy> Session<E> {
    pub(super) fn token_wanted(&mut self, waiter: WaiterId, min_validity: Millis) {
        let lease = match &self.state {
            State::Live(live) => {
                // A token that is good enough is given at once, whatever else is going on.
                if live.gate.is_none()
                    && live.valid(min_validity, &self.ctx).is_some()
                    && let Some(lease) = live.lease(&self.ctx)
                {
                    self.ctx.settle(waiter, Outcome::Token(lease));
                    return;
                }
                live.held.as_ref().map_or(LeaseId(0), |held| held.lease)
            }
            State::Restoring(_) => LeaseId(0),
            State::Unknown | State::Ended(_) | State::Disposed => {
                self.ctx.settle(waiter, Outcome::Anonymous);
                return;
            }
        };
        self.ctx.wait(waiter, Want::Token { min_validity, lease });
    }

    pub(super) fn unauthorized(&mut self, waiter: Option<WaiterId>, lease: LeaseId) {
        let State::Live(live) = &mut self.state else {
            if let Some(waiter) = waiter {
                self.ctx.settle(waiter, Outcome::Original);
            }
            return;
        };
        live.unauthorized(waiter, lease, &mut self.ctx);
    }

    pub(super) fn refresh_wanted(&mut self, waiter: WaiterId) {
        match &mut self.state {
            State::Live(live) => live.refresh_wanted(waiter, &mut self.ctx),
            State::Restoring(_) => self.ctx.wait(waiter, Want::Refresh),
            _ => self.ctx.settle(waiter, Outcome::Failed(Error::NotSignedIn)),
        }
    }

    /// A response carried a token: a new generation without a rotation.
    pub(super) fn header_token(&mut self, grant: Grant, lease: LeaseId) {
        if let Some((live, ctx)) = self.live() {
            live.header_token(grant, lease, ctx);
        }
    }
}

impl Live {
    fn unauthorized<E: Entropy>(
        &mut self,
        waiter: Option<WaiterId>,
        lease: LeaseId,
        ctx: &mut Context<E>,
    ) {
        let current = self.held.as_ref().map_or(LeaseId(0), |held| held.lease);
        let theirs = lease >= self.first_lease && lease <= current;
        let backing = matches!(
            self.flight,
            Flight::Backing(Backing { why: Pause::Own | Pause::Server | Pause::Breaker, .. })
        );
        if !theirs || backing && lease == current {
            if let Some(waiter) = waiter {
                ctx.settle(waiter, Outcome::Original);
            }
            return;
        }
        if let Some(waiter) = waiter {
            ctx.wait(waiter, Want::Newer { lease });
        }
        if lease == current && matches!(self.flight, Flight::Resting) {
            self.begin(Errand::new(RefreshReason::Unauthorized), ctx);
        }
    }

    fn refresh_wanted<E: Entropy>(&mut self, waiter: WaiterId, ctx: &mut Context<E>) {
        match mem::take(&mut self.flight) {
            Flight::Backing(Backing { why: Pause::Server, errand, until }) => {
                self.flight = Flight::Backing(Backing { why: Pause::Server, errand, until });
                ctx.settle(waiter, Outcome::Failed(Error::Unavailable));
            }
            Flight::Backing(Backing { errand, why: Pause::Own | Pause::Breaker, .. }) => {
                ctx.wait(waiter, Want::Refresh);
                self.begin(Errand { reason: RefreshReason::Explicit, ..errand }, ctx);
            }
            Flight::Resting => {
                ctx.wait(waiter, Want::Refresh);
                self.begin(Errand::new(RefreshReason::Explicit), ctx);
            }
            flight => {
                self.flight = flight;
                ctx.wait(waiter, Want::Refresh);
            }
        }
    }

    fn header_token<E: Entropy>(&mut self, grant: Grant, lease: LeaseId, ctx: &mut Context<E>) {
        let ours = self.held.as_ref().is_some_and(|held| held.tokens.access != grant.access_token);
        let same_user = grant.subject().is_none_or(|subject| {
            self.record.term.subject.as_deref().is_none_or(|ours| ours == subject)
        });
        let resting = matches!(self.flight, Flight::Resting);
        if !ours || !same_user || !resting || lease < self.first_lease {
            return;
        }
        let now = ctx.now();
        let term = self.term(grant, now, true, ctx);
        if ctx.clock.at_wall(term.issued_at) + term.lifetime
            <= self.held.as_ref().map_or(now, |held| held.expires)
        {
            return;
        }
        // The refresh token stays, and with it the rotation that may be under way.
        if self.record.pending_key().is_some() {
            self.record.pending.generation = term.generation;
        }
        self.record.term = term;
        self.adopt(None, ctx);
        self.share(Announce::Tokens, ctx);
    }
}
