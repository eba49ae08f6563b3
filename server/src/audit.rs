//! The audit log: which sessions began, were renewed, were refused and ended.
//!
//! Ids are in it as keyed hashes, so that the log alone leads to nobody; who has the server's keys
//! can look somebody up. Entries gather in memory and are written together, off the path of the
//! requests; a crash loses those of the last moment.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::rotation::{Millis, SessionId};
use crate::store::{Store, StoreError};

/// Gathers entries until somebody writes them down.
pub struct Audit {
    salt: [u8; 32],
    scope: Scope,
    waiting: Mutex<VecDeque<Entry>>,
    lost: AtomicU64,
}

/// What is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Nothing.
    Off,
    /// Beginnings, refusals and ends.
    Ends,
    /// Renewals too.
    All,
}

impl Audit {
    /// So many entries may wait; after that the oldest are lost, and counted.
    pub const WAITING: usize = 10_000;

    pub(crate) fn new(salt: [u8; 32], scope: Scope) -> Self {
        Self { salt, scope, waiting: Mutex::default(), lost: AtomicU64::new(0) }
    }

    /// Notes that something happened to a session.
    pub fn note(&self, at: Millis, action: Action, detail: &str, sid: SessionId, user: &str) {
        let wanted = match self.scope {
            Scope::Off => false,
            Scope::Ends => action != Action::Renewed,
            Scope::All => true,
        };
        if !wanted {
            return;
        }
        let entry = Entry {
            at,
            action,
            detail: detail.to_owned(),
            session: self.pseudonym(&sid.to_string()),
            user: self.pseudonym(user),
        };
        let mut waiting = self.waiting();
        if waiting.len() >= Self::WAITING {
            waiting.pop_front();
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        waiting.push_back(entry);
    }

    /// Writes all that waits, and forgets what is older than `forget_before`. What cannot be
    /// written waits on.
    pub async fn write(&self, store: &dyn Store, forget_before: Millis) -> Result<(), StoreError> {
        loop {
            let batch: Vec<Entry> = {
                let mut waiting = self.waiting();
                let most = waiting.len().min(BATCH);
                waiting.drain(..most).collect()
            };
            if batch.is_empty() {
                return Ok(());
            }
            if let Err(error) = store.audit(batch.clone(), forget_before).await {
                let mut waiting = self.waiting();
                for entry in batch.into_iter().rev() {
                    waiting.push_front(entry);
                }
                return Err(error);
            }
        }
    }

    /// What the log calls a user or a session.
    #[must_use]
    pub fn pseudonym(&self, id: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.salt) else {
            return String::new();
        };
        mac.update(id.as_bytes());
        URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..16])
    }

    /// How many entries were lost because they could not be written in time.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Audit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Audit").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, in epoch milliseconds.
    pub at: Millis,
    /// What happened.
    pub action: Action,
    /// The rule of rotation, or why it ended.
    pub detail: String,
    /// The session, hashed.
    pub session: String,
    /// The user, hashed; of nobody if the session is not known.
    pub user: String,
}

/// What happened to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A sign-in.
    Created,
    /// A refresh that was granted.
    Renewed,
    /// A refresh that was refused.
    Refused,
    /// It is over.
    Ended,
}

impl Action {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Renewed => "renewed",
            Self::Refused => "refused",
            Self::Ended => "ended",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Created, Self::Renewed, Self::Refused, Self::Ended]
            .into_iter()
            .find(|action| action.word() == word)
    }
}

const BATCH: usize = 1_000;
