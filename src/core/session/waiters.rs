//! Callers that wait: each is settled exactly once.

use super::context::Context;
use crate::core::{
    clock::{Millis, Moment},
    effect::Outcome,
    entropy::Entropy,
    error::Error,
    ids::{LeaseId, RevokeId, WaiterId},
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Waiter {
    pub(super) id: WaiterId,
    pub(super) want: Want,
    until: Moment,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Want {
    /// A token that is good for this long; one newer than `lease` is taken as it comes.
    Token { min_validity: Millis, lease: LeaseId },
    /// Another token than this lease's, to resend a request that got 401.
    Newer { lease: LeaseId },
    /// The outcome of one refresh.
    Refresh,
    /// To know whether anybody is signed in.
    Restore,
    /// To know that the server has heard of the end; which revocation tells it is not known while
    /// the session is still being looked for.
    SignOut { revoke: Option<RevokeId> },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Waiters(Vec<Waiter>);

impl Waiters {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Waiter> {
        self.0.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Waiter> {
        self.0.iter_mut()
    }

    pub(super) fn remove(&mut self, id: WaiterId) {
        self.0.retain(|waiter| waiter.id != id);
    }

    pub(super) fn next_timeout(&self) -> Moment {
        self.0.iter().map(|waiter| waiter.until).min().unwrap_or(Moment::NEVER)
    }
}

impl<E: Entropy> Context<E> {
    pub(super) fn wait(&mut self, id: WaiterId, want: Want) {
        // A sign-out waits for its revocation, which has a bound of its own.
        let bound = self.policy.wait.filter(|_| !matches!(want, Want::SignOut { .. }));
        let until = bound.map_or(Moment::NEVER, |wait| self.now() + wait);
        self.waiters.0.push(Waiter { id, want, until });
    }

    /// Settles everybody for whom there is an outcome.
    pub(super) fn settle_where(&mut self, outcome: &dyn Fn(&Waiter) -> Option<Outcome>) {
        let waiters = core::mem::take(&mut self.waiters.0);
        for waiter in waiters {
            match outcome(&waiter) {
                Some(outcome) => self.settle(waiter.id, outcome),
                None => self.waiters.0.push(waiter),
            }
        }
    }

    /// New tokens came: a refresh that was asked for is done.
    pub(super) fn settle_refreshes(&mut self) {
        self.settle_where(&|waiter| (waiter.want == Want::Refresh).then_some(Outcome::Done));
    }

    /// A refresh failed, or cannot be tried now. Whoever waits for this one attempt is told;
    /// whoever needs a token waits on.
    pub(super) fn settle_attempt(&mut self, error: Error) {
        self.settle_where(&|waiter| match waiter.want {
            Want::Newer { .. } => Some(Outcome::Original),
            Want::Refresh => Some(Outcome::Failed(error)),
            Want::Restore => Some(Outcome::Done),
            Want::Token { .. } | Want::SignOut { .. } => None,
        });
    }

    /// Nobody is signed in any more; `error` if the server said so.
    pub(super) fn settle_ended(&mut self, error: Option<Error>) {
        self.settle_where(&|waiter| {
            Some(match (&waiter.want, error) {
                (Want::SignOut { revoke: Some(_) }, _) => return None,
                (Want::Restore | Want::SignOut { .. }, _) => Outcome::Done,
                (Want::Newer { .. }, _) => Outcome::Original,
                (Want::Token { .. } | Want::Refresh, Some(error)) => Outcome::Failed(error),
                (Want::Token { .. }, None) => Outcome::Anonymous,
                (Want::Refresh, None) => Outcome::Failed(Error::NotSignedIn),
            })
        });
    }

    /// Settles those who have waited long enough.
    pub(super) fn settle_overdue(&mut self) {
        let now = self.now();
        self.settle_where(&|waiter| {
            (waiter.until <= now).then_some(match waiter.want {
                Want::Newer { .. } => Outcome::Original,
                Want::Restore | Want::SignOut { .. } => Outcome::Done,
                Want::Token { .. } | Want::Refresh => Outcome::Failed(Error::Unavailable),
            })
        });
    }
}
