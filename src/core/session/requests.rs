//! Callers: those who need a token, those whose token was refused, those who want a refresh.

use core::mem;

use super::{
    Session, State,
    context::Context,
    live::{Live, Sharing},
    refresh_state::{BackingOff, Pause, RefreshContext, RefreshState},
    waiters::Want,
};
use crate::core::{
    clock::Millis,
    effect::Outcome,
    entropy::Entropy,
    error::Error,
    grant::Grant,
    ids::{LeaseId, WaiterId},
    reason::RefreshReason,
    retry,
};

impl<E: Entropy> Session<E> {
    pub(super) fn token_wanted(&mut self, waiter: WaiterId, mut min_validity: Millis) {
        let lease = match &self.state {
            State::Live(live) => {
                if !live.may_refresh(&self.ctx) {
                    min_validity = 0;
                }
                // A token that is good enough is given at once, whatever else is going on.
                if live.pending_reread.is_none()
                    && live.valid(min_validity, &self.ctx).is_some()
                    && let Some(lease) = live.lease(&self.ctx)
                {
                    self.ctx.settle(waiter, Outcome::Token(lease));
                    return;
                }
                live.current.as_ref().map_or(LeaseId(0), |current| current.lease)
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
        // A server answered.
        self.ctx.online = true;
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
        let current = self.current.as_ref().map_or(LeaseId(0), |current| current.lease);
        let theirs = lease >= self.first_lease && lease <= current;
        let backing = matches!(
            self.refresh_state,
            RefreshState::BackingOff(BackingOff {
                why: Pause::Own | Pause::Server | Pause::Breaker,
                ..
            })
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
        if let Some(refused) = &mut self.current
            && refused.lease == lease
            && refused.expires.comes().is_none()
        {
            // It was not known when it ends: now.
            refused.expires = ctx.now();
        }
        if lease == current && matches!(self.refresh_state, RefreshState::Idle) {
            self.begin(RefreshContext::new(RefreshReason::Unauthorized), ctx);
        }
    }

    fn refresh_wanted<E: Entropy>(&mut self, waiter: WaiterId, ctx: &mut Context<E>) {
        match mem::take(&mut self.refresh_state) {
            RefreshState::BackingOff(backing) if !self.lets_through(backing.why, ctx) => {
                self.refresh_state = RefreshState::BackingOff(backing);
                ctx.settle(waiter, Outcome::Failed(Error::Unavailable));
            }
            RefreshState::BackingOff(BackingOff {
                refresh,
                why: Pause::Own | Pause::Server | Pause::Breaker,
                ..
            }) => {
                ctx.wait(waiter, Want::Refresh);
                self.begin(RefreshContext { reason: RefreshReason::Explicit, ..refresh }, ctx);
            }
            RefreshState::Idle => {
                ctx.wait(waiter, Want::Refresh);
                self.begin(RefreshContext::new(RefreshReason::Explicit), ctx);
            }
            refresh_state => {
                self.refresh_state = refresh_state;
                ctx.wait(waiter, Want::Refresh);
            }
        }
    }

    /// Whether a pause is over for a caller who asks itself.
    fn lets_through<E: Entropy>(&self, why: Pause, ctx: &Context<E>) -> bool {
        let wall = ctx.clock.wall_at(ctx.now());
        match why {
            Pause::Server => self.may_probe(ctx),
            Pause::Breaker => {
                retry::breaker(self.record.sends, retry::EXPLICIT_LOOP, wall).is_none()
            }
            Pause::Own | Pause::Peer => true,
        }
    }

    fn header_token<E: Entropy>(&mut self, grant: Grant, lease: LeaseId, ctx: &mut Context<E>) {
        let ours = self
            .current
            .as_ref()
            .is_some_and(|current| current.tokens.access != grant.access_token);
        let same_user = grant.subject().is_none_or(|subject| {
            self.record.token_set.subject.as_deref().is_none_or(|ours| ours == subject)
        });
        let resting = matches!(self.refresh_state, RefreshState::Idle);
        if !ours || !same_user || !resting || lease < self.first_lease {
            return;
        }
        let now = ctx.now();
        // A response may come from a cache: its token is believed against the clock only where that is
        // known to be wrong, and not by how much.
        let token_set = self.token_set(grant, now, ctx.skew_is_bound, ctx);
        let expires = token_set.expires(ctx.clock.at_wall(token_set.issued_at));
        let known = self.current.as_ref().map_or(now, |current| current.expires);
        if expires.comes().is_some() && expires <= known {
            return;
        }
        // The refresh token stays, and with it the rotation that may be under way.
        if self.record.pending_key().is_some() {
            self.record.pending.generation = token_set.generation;
        }
        self.record.token_set = token_set;
        self.adopt(None, ctx);
        self.share(Sharing::WithTokens, ctx);
    }
}
