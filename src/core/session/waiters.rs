//! Callers that wait, and what for.

use std::vec;

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

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Waiters {
    /// In the order in which they came.
    list: Vec<Waiter>,
    /// No caller has waited long enough before; may be too early, once one has given up.
    pub(super) next_timeout: Moment,
}

impl Waiters {
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Waiter> {
        self.list.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Waiter> {
        self.list.iter_mut()
    }

    pub(super) fn push(&mut self, waiter: Waiter) {
        self.next_timeout = self.next_timeout.min(waiter.until);
        self.list.push(waiter);
    }

    pub(super) fn remove(&mut self, id: WaiterId) {
        if let Some(at) = self.list.iter().position(|waiter| waiter.id == id) {
            self.list.remove(at);
        }
    }
}

impl Default for Waiters {
    fn default() -> Self {
        Self { list: Vec::new(), next_timeout: Moment::NEVER }
    }
}

impl IntoIterator for Waiters {
    type Item = Waiter;
    type IntoIter = vec::IntoIter<Waiter>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}
