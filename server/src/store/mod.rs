//! Where users and session families are kept.
//!
//! A store offers whole steps, each of them atomic: no caller ever reads a row, thinks, and writes
//! it back. What a step does is written once, in `steps`, over the few table operations of
//! `Tables`; a store only says how a step gets the tables to itself: by a lock in memory, in a
//! transaction in SQLite and Postgres, and by compare-and-set in Redis.

pub(crate) mod crash;
mod fence;
mod mark;
mod memory;
mod postgres;
mod redis;
mod sign_in;
mod sign_out;
mod sqlite;
mod statement;
mod steps;
mod user;

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

pub use fence::Fence;
pub use mark::{MarkKind, TokenMark};
pub use memory::MemoryStore;
pub use postgres::PostgresStore;
pub use redis::RedisStore;
pub use sign_in::{PasswordChange, SignIn, SignedIn};
pub use sign_out::{SignOut, SignedOut};
pub use sqlite::SqliteStore;
pub use steps::{Outcome, Renewed};
pub(crate) use user::present;
pub use user::{Change, User};

use crate::audit::Entry;
use crate::rotation::{Attempt, Millis, Pepper, Revocation, Rules, SessionFamily, SessionId};

/// A place for users and session families.
///
/// An answer means that the step is durable, as far as the store can be.
pub trait Store: Send + Sync + Debug {
    /// Decides about a refresh and writes what became of the family.
    fn refresh(&self, attempt: Attempt) -> Pending<'_, Outcome>;

    /// Begins a family and clears the user's duty to sign in again, provided that the user may still
    /// come in with the password that was verified; else nothing happens.
    fn sign_in(&self, sign_in: SignIn) -> Pending<'_, Option<SignedIn>>;

    /// Puts a new password in the place of the verified one and ends the user's other sessions, in
    /// one; answers with those. If the old one is no longer the user's, nothing happens.
    fn change_password(&self, change: PasswordChange) -> Pending<'_, Option<Vec<SessionFamily>>>;

    /// Ends a session because its user said so, with all that follows.
    fn sign_out(&self, sign_out: SignOut) -> Pending<'_, SignedOut>;

    /// Begins a family for which something else than a password vouches; clears the user's duty to
    /// sign in again.
    fn open(&self, row: SessionFamily) -> Pending<'_, ()>;

    /// A family and its user.
    fn session(&self, sid: SessionId) -> Pending<'_, Option<(SessionFamily, User)>>;

    /// Ends families that are still active; answers with them, as they are then.
    fn end(&self, whose: SessionSelector, why: Revocation) -> Pending<'_, Vec<SessionFamily>>;

    /// Notes that the access token of this generation has been used.
    fn mark_seen(&self, sid: SessionId, generation: u32) -> Pending<'_, ()>;

    /// Notes that the session was used, which moves its idle end to `idle` milliseconds from `now`
    /// but never past its absolute one.
    fn touch(&self, sid: SessionId, now: Millis, idle: Option<Millis>) -> Pending<'_, ()>;

    /// Writes a note, over an older one of its kind and key; drops those that have expired.
    fn note(&self, note: TokenMark, now: Millis) -> Pending<'_, ()>;

    /// The note of a kind and key, unless it has expired.
    fn noted(&self, kind: MarkKind, key: String, now: Millis) -> Pending<'_, Option<TokenMark>>;

    /// Drops all notes of a kind that belong to a session; answers with them.
    fn forget(&self, kind: MarkKind, sid: SessionId) -> Pending<'_, Vec<TokenMark>>;

    /// How many notes of a kind have not expired.
    fn notes(&self, kind: MarkKind, now: Millis) -> Pending<'_, usize>;

    /// A user's families, or everybody's, oldest first.
    fn sessions(&self, user_id: Option<String>) -> Pending<'_, Vec<SessionFamily>>;

    /// Adds a user, unless there is one of that name; says whether it did.
    fn add_user(&self, user: User) -> Pending<'_, bool>;

    /// The user of a name.
    fn user_named(&self, username: String) -> Pending<'_, Option<User>>;

    /// Changes a user; answers with the user as it is then.
    fn change_user(&self, user_id: String, change: Change) -> Pending<'_, Option<User>>;

    /// Forgets families that had to end before this time; those that were ended earlier stay until
    /// then, so that a late token still hears why.
    fn sweep(&self, before: Millis) -> Pending<'_, usize>;

    /// Adds to the audit log, and forgets in it what is older than `forget_before`.
    fn audit(&self, entries: Vec<Entry>, forget_before: Millis) -> Pending<'_, ()>;

    /// The newest entries of the audit log, newest first.
    fn audited(&self, newest: usize) -> Pending<'_, Vec<Entry>>;

    /// The server's keys, if several processes share the store and therefore find them here.
    fn keys(&self) -> Pending<'_, Option<Vec<u8>>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Puts new keys in the place of old ones, or of none; says whether those were there. A store
    /// that keeps no keys never does.
    fn swap_keys(&self, _old: Option<Vec<u8>>, _new: Vec<u8>) -> Pending<'_, bool> {
        Box::pin(std::future::ready(Ok(false)))
    }

    /// Writes something of no meaning, to see whether it can do its work: a full disk reads well.
    fn probe(&self) -> Pending<'_, ()>;
}

/// The few operations on tables that the steps are made of.
pub(crate) trait Tables {
    fn row(&mut self, sid: SessionId) -> Result<Option<SessionFamily>, StoreError>;
    fn rows(&mut self, user_id: Option<&str>) -> Result<Vec<SessionFamily>, StoreError>;
    fn put_row(&mut self, row: SessionFamily) -> Result<(), StoreError>;
    fn user(&mut self, id: &str) -> Result<Option<User>, StoreError>;
    fn user_named(&mut self, username: &str) -> Result<Option<User>, StoreError>;
    fn put_user(&mut self, user: User) -> Result<(), StoreError>;
    fn put_mark(&mut self, note: TokenMark) -> Result<(), StoreError>;
    fn find_mark(&mut self, kind: MarkKind, key: &str) -> Result<Option<TokenMark>, StoreError>;
    fn take_marks(&mut self, kind: MarkKind, sid: SessionId) -> Result<Vec<TokenMark>, StoreError>;
    fn drop_marks(&mut self, now: Millis) -> Result<(), StoreError>;
}

/// A step under way.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Which families a step is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionSelector {
    /// One.
    Session(SessionId),
    /// One, if it belongs to this user.
    SessionOf(String, SessionId),
    /// All of a user but, perhaps, one.
    User(String, Option<SessionId>),
}

/// A store that several processes share, with the keys that they find in it.
pub trait SharedStore: Store {
    /// What it is called in the log.
    fn name(&self) -> &'static str;

    /// Host and port, without user and password.
    fn address(&self) -> String;

    /// Makes its tables, or brings them up to date.
    fn migrate(&self) -> Pending<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    /// Refuses tables that [`Self::migrate`] would change, or that are not there.
    fn is_up_to_date(&self) -> Pending<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    /// What is wrong with its settings, for a store of sessions; what it does not tell is taken to be
    /// right.
    fn config_warnings(&self) -> Pending<'_, Vec<&'static str>>;

    /// The same store under other terms, for a caller that has to ask it for the keys first.
    fn under(self: Box<Self>, terms: RotationContext) -> Arc<dyn Store>;
}

/// What a store needs in order to decide about a refresh.
#[derive(Clone, Debug)]
pub struct RotationContext {
    /// The server's share in every token.
    pub pepper: Pepper,
    /// The numbers.
    pub rules: Rules,
}

/// The store could not do its work; the request may be tried again.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite said so.
    #[error("sqlite: {0}")]
    Sqlite(String),
    /// Postgres said so, or did not answer.
    #[error("postgres: {0}")]
    Postgres(String),
    /// Redis said so, or did not answer.
    #[error("redis: {0}")]
    Redis(String),
    /// Others changed the same records again and again.
    #[error("too many changes to the same records at once")]
    Contended,
    /// A row does not read as it was written; was the file changed by another program?
    #[error("corrupt row: {0}")]
    Corrupt(&'static str),
    /// Another server has begun anew in the store.
    #[error("the store holds the keys of another server; restart this one to use them")]
    OtherKeys,
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}
