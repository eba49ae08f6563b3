//! The audit log: which sessions began, were renewed, were refused and ended, and which sign-ins
//! failed.
//!
//! Ids and addresses are in it as keyed hashes, so that the log alone leads to nobody; who has the
//! server's keys can look somebody up. Entries gather in memory and are written together, off the
//! path of the requests; a crash loses those of the last moment.
//!
//! Failures and refusals cost an attacker nothing and could fill the disk. So a thousand are listed at
//! once, then two a minute, and each says how many were left out before it.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::limits::{Bucket, Rate};
use crate::rotation::{Millis, SessionId};

/// Gathers entries until somebody writes them down.
pub struct Audit {
    salt: [u8; 32],
    scope: Scope,
    waiting: Mutex<VecDeque<Entry>>,
    sparing: Mutex<Sparing>,
    lost: AtomicU64,
}

/// What is left for failures and refusals, and how many found nothing left.
#[derive(Default)]
struct Sparing {
    bucket: Option<Bucket>,
    left_out: u64,
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
        Self {
            salt,
            scope,
            waiting: Mutex::default(),
            sparing: Mutex::default(),
            lost: AtomicU64::new(0),
        }
    }

    /// Notes that something happened to a session.
    pub fn note(&self, at: Millis, action: Action, detail: &str, sid: SessionId, user: &str) {
        let (session, user) = (self.pseudonym(&sid.to_string()), self.pseudonym(user));
        let detail = detail.to_owned();
        self.add(Entry { at, action, detail, session, user, ..Entry::default() });
    }

    /// Notes that somebody at an address gave a wrong password for this user, or for nobody.
    pub fn failed(&self, at: Millis, why: &str, user: Option<&str>, address: Option<IpAddr>) {
        self.add(Entry {
            at,
            action: Action::Failed,
            detail: why.to_owned(),
            user: user.map(|user| self.pseudonym(user)).unwrap_or_default(),
            address: address
                .map(|address| self.pseudonym(&address.to_string()))
                .unwrap_or_default(),
            ..Entry::default()
        });
    }

    fn add(&self, mut entry: Entry) {
        let wanted = match self.scope {
            Scope::Off => false,
            Scope::Ends => entry.action != Action::Renewed,
            Scope::All => true,
        };
        if !wanted {
            return;
        }
        if matches!(entry.action, Action::Failed | Action::Refused) {
            let mut sparing = self.sparing.lock().unwrap_or_else(PoisonError::into_inner);
            let bucket = sparing.bucket.get_or_insert_with(|| Bucket::full(FAILURES, entry.at));
            if bucket.take(FAILURES, entry.at).is_err() {
                sparing.left_out += 1;
                return;
            }
            entry.left_out = std::mem::take(&mut sparing.left_out);
        }
        let mut waiting = self.waiting();
        if waiting.len() >= Self::WAITING {
            waiting.pop_front();
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        waiting.push_back(entry);
    }

    /// Takes out what has waited the longest, up to a thousand entries.
    pub(crate) fn take(&self) -> Vec<Entry> {
        let mut waiting = self.waiting();
        let most = waiting.len().min(BATCH);
        waiting.drain(..most).collect()
    }

    /// Lets entries wait on that could not be written.
    pub(crate) fn put_back(&self, batch: Vec<Entry>) {
        let mut waiting = self.waiting();
        for entry in batch.into_iter().rev() {
            waiting.push_front(entry);
        }
    }

    /// What the log calls a user, a session or an address; nothing stays nothing.
    #[must_use]
    pub fn pseudonym(&self, id: &str) -> String {
        if id.is_empty() {
            return String::new();
        }
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// When, in epoch milliseconds.
    pub at: Millis,
    /// What happened.
    pub action: Action,
    /// The rule of rotation, why it ended, or why it failed.
    pub detail: String,
    /// The session, hashed; empty for a sign-in that failed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub session: String,
    /// The user, hashed; empty if there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// Where a sign-in that failed came from, hashed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// So many failures and refusals before this one are not listed.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What happened to a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A sign-in.
    #[default]
    Created,
    /// A refresh that was granted.
    Renewed,
    /// A refresh that was refused.
    Refused,
    /// It is over.
    Ended,
    /// A sign-in with a wrong name or password, or a wrong current password.
    Failed,
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
            Self::Failed => "failed",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Created, Self::Renewed, Self::Refused, Self::Ended, Self::Failed]
            .into_iter()
            .find(|action| action.word() == word)
    }
}

const BATCH: usize = 1_000;
const FAILURES: Rate = Rate { burst: 1_000.0, millis_each: 30_000.0 };
