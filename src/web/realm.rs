//! All that is kept between two calls: the sessions, and what the next input will take.

use std::cell::RefCell;

use super::host::Crypto;
use crate::core::{error::Error, grant::Grant, input::Found, record::Record, session::Session};

/// What one copy of the wasm holds.
pub(crate) struct Realm {
    /// By number. What is closed leaves a gap of one word.
    pub(crate) sessions: Vec<Option<Box<Session<Crypto>>>>,
    /// What the caller has said since the last call that took it.
    pub(crate) texts: Vec<String>,
    /// The tokens that were parsed last.
    pub(crate) grant: Result<Grant, Error>,
    /// What the texts that were read since the last input say together.
    pub(crate) found: Found,
}

thread_local! {
    static REALM: RefCell<Realm> = const {
        RefCell::new(Realm {
            sessions: Vec::new(),
            texts: Vec::new(),
            grant: Err(Error::NoExpiry),
            found: Found::Nothing,
        })
    };
}

impl Realm {
    /// Opens the only realm there is. Nobody opens it twice: nothing that is done in it calls back.
    pub(crate) fn with<T: Default>(act: impl FnOnce(&mut Self) -> T) -> T {
        // The panics of `with` and `borrow_mut` would bring the formatting of messages along.
        let opened = REALM.try_with(|realm| realm.try_borrow_mut().ok().map(|mut it| act(&mut it)));
        opened.ok().flatten().unwrap_or_default()
    }

    /// A session, unless it was closed.
    pub(crate) fn session(&mut self, number: usize) -> Option<&mut Session<Crypto>> {
        self.sessions.get_mut(number)?.as_deref_mut()
    }

    /// The grant that was left for this input.
    pub(crate) fn take_grant(&mut self) -> Result<Grant, Error> {
        core::mem::replace(&mut self.grant, Err(Error::NoExpiry))
    }

    /// The record that was left for this input.
    pub(crate) fn take_found(&mut self) -> Found {
        core::mem::replace(&mut self.found, Found::Nothing)
    }

    /// The text that was said last; empty when there is none.
    pub(crate) fn take_text(&mut self) -> String {
        self.texts.pop().unwrap_or_default()
    }

    /// Adds a stored text to what was found; false when it is no record.
    pub(crate) fn find(&mut self) -> bool {
        let record = Record::decode(&self.take_text()).map(Box::new);
        let valid = record.is_some();
        self.found = match (record, self.take_found()) {
            (Some(mut record), Found::Record(other)) => {
                record.join(*other);
                Found::Record(record)
            }
            (Some(record), _) => Found::Record(record),
            (None, Found::Nothing) => Found::Corrupt,
            (None, other) => other,
        };
        valid
    }
}
