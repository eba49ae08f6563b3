//! Settles the callers that wait, each exactly once.

use core::mem;

use super::{
    context::Context,
    waiters::{Waiter, Want},
};
use crate::core::{clock::Moment, effect::Outcome, entropy::Entropy, error::Error, ids::WaiterId};

impl<E: Entropy> Context<E> {
    pub(super) fn wait(&mut self, id: WaiterId, want: Want) {
        // A sign-out waits for its revocation, which has a bound of its own.
        let bound = self.policy.wait.filter(|_| !matches!(want, Want::SignOut { .. }));
        let until = bound.map_or(Moment::NEVER, |wait| self.now() + wait);
        self.waiters.push(Waiter { id, want, until });
    }

    /// Settles each caller for whom there is an outcome.
    pub(super) fn settle_where(&mut self, outcome: &dyn Fn(&Waiter) -> Option<Outcome>) {
        for waiter in mem::take(&mut self.waiters) {
            match outcome(&waiter) {
                Some(outcome) => self.settle(waiter.id, outcome),
                None => self.waiters.push(waiter),
            }
        }
    }

    /// New tokens came: a refresh that was asked for is done.
    pub(super) fn settle_refreshes(&mut self) {
        self.settle_where(&|waiter| (waiter.want == Want::Refresh).then_some(Outcome::Done));
    }

    /// A refresh failed, or cannot be tried now. A caller that waits for this one attempt is told;
    /// a caller that needs a token waits on.
    pub(super) fn settle_attempt(&mut self, error: Error) {
        self.settle_where(&|waiter| match waiter.want {
            Want::Newer { .. } => Some(Outcome::Original),
            Want::Refresh => Some(Outcome::Failed(error)),
            Want::Restore => Some(Outcome::Done),
            Want::Token { .. } | Want::SignOut { .. } => None,
        });
    }

    /// No user is signed in any more; `error` if the server said so.
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
        if self.waiters.next_timeout > now {
            return;
        }
        self.settle_where(&|waiter| {
            (waiter.until <= now).then_some(match waiter.want {
                Want::Newer { .. } => Outcome::Original,
                Want::Restore | Want::SignOut { .. } => Outcome::Done,
                Want::Token { .. } | Want::Refresh => Outcome::Failed(Error::Unavailable),
            })
        });
    }
}
