//! Callers that wait, and what for.

use crate::core::{
    clock::{Millis, Moment},
    ids::{LeaseId, RevokeId, WaiterId},
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Waiter {
    pub(super) id: WaiterId,
    pub(super) want: Want,
    pub(super) until: Moment,
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
pub(super) struct Waiters(pub(super) Vec<Waiter>);

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
