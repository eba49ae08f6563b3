//! What an end is.

use core::ops::ControlFlow;

use crate::core::{
    error::Error,
    reason::EndReason,
    record::{FOR_GOOD, Generation, Record},
    retry::LONGEST,
};

/// `Break` ends the session.
pub(super) type Flow = ControlFlow<Ending>;

/// The decision that a session is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) reason: EndReason,
    /// The generation that the decision was about: one that is newer survives it.
    pub(super) fence: Generation,
    /// Who has to be told.
    pub(super) scope: Scope,
    /// What waiters are told, if the server decided.
    pub(super) error: Option<Error>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The others know, or must not know.
    Tab,
    /// Every tab.
    Tabs,
    /// Every tab, and the server: this session, or all of the user's.
    Server { everywhere: bool },
}

/// Nobody is signed in any more.
#[derive(Clone, Debug, Hash)]
pub(super) struct Ended {
    pub(super) reason: EndReason,
    /// The record of the session that was.
    pub(super) record: Option<Record>,
    pub(super) error: Option<Error>,
}

impl Ending {
    /// Decided here, about the session as a whole.
    pub(super) const fn local(reason: EndReason, scope: Scope) -> Self {
        Self { reason, fence: FOR_GOOD, scope, error: None }
    }
}

impl Ended {
    pub(super) const fn without(reason: EndReason, record: Option<Record>) -> Self {
        Self { reason, record, error: None }
    }

    /// Whether a session of another tab may take this one's place unasked. After `cancel`, a bad
    /// token and a change of user only `start` and `restore` may.
    pub(super) const fn follows(&self) -> bool {
        use EndReason::{Cancelled, InvalidToken, SubjectChanged};
        !matches!(self.reason, Cancelled | InvalidToken | SubjectChanged)
    }
}

/// Storage that has not answered by then is not waited for.
pub(super) const STORAGE_WAIT: i64 = 2_000;

const _: () = assert!(STORAGE_WAIT < LONGEST);
