//! What an engine needs of its platform.

use core::fmt;

use super::{
    endpoint::{Exchange, Refused, Request},
    formats::Formats,
};
use crate::core::{
    clock::{Millis, Now},
    effect::{Lease, Outcome, RefreshRequest},
    entropy::Entropy,
    event::Event,
    ids::{Attempt, Ticket},
    snapshot::Snapshot,
};

/// The platform: clocks, timer, storage, lock, channel, transport, and those who look at the
/// session.
///
/// The engine holds no borrow while it calls a host, so a host may call the engine back at any
/// time: what it says is queued and dealt with next. No method may panic or throw.
pub trait Host {
    /// The parsers.
    type Formats: Formats;
    /// The randomness that rotation keys are drawn from.
    type Entropy: Entropy;
    /// Answers one caller that waits.
    type Waiter;

    /// Both clocks, read together.
    fn now(&self) -> Now;

    /// Sets the one timer of this engine, in place of the one before: call
    /// [`Engine::wake`](super::Engine::wake) after `delay` milliseconds; never, without.
    fn wake_after(&self, delay: Option<Millis>);

    /// Loads the text at a place of storage; `None` when
    /// [`Engine::loaded`](super::Engine::loaded) will be told later.
    fn load(&self, load: Load) -> Option<Loaded>;

    /// Stores a text, and says whether that worked; `None` when
    /// [`Engine::stored`](super::Engine::stored) will be told later.
    fn store(&self, store: Store, text: &str) -> Option<bool>;

    /// Removes the text at a place.
    fn remove(&self, place: Place);

    /// Keeps a text that is no record under another key, where people can find it.
    fn set_aside(&self, place: Place, text: &str);

    /// Asks for the session's lock: answer with `Input::LockGranted` or `Input::LockUnavailable`.
    fn request_lock(&self, ticket: Ticket);

    /// Gives the lock back, or stops waiting for it.
    fn release_lock(&self, ticket: Ticket);

    /// Tells the other tabs a text.
    fn broadcast(&self, text: &str);

    /// Sends a request: answer with [`Engine::responded`](super::Engine::responded).
    fn send(&self, exchange: Exchange, request: Request);

    /// Calls the application's refresh function: answer with
    /// [`Engine::called`](super::Engine::called).
    fn call(&self, attempt: Attempt, request: RefreshRequest);

    /// The answer to a refresh is no longer wanted.
    fn abort(&self, attempt: Attempt);

    /// The lead that the application computes for these claims, if it does.
    fn lead(&self, claims: Option<&Value<Self>>) -> Option<Millis>;

    /// Answers a caller.
    fn settle(&self, waiter: Self::Waiter, outcome: Outcome);

    /// What requests may carry from now on.
    fn lease(&self, lease: Option<Lease>);

    /// How the session looks from now on; observers are told later.
    fn show(&self, snapshot: &Snapshot, claims: Option<&Value<Self>>);

    /// Tells the observers. They may call anything.
    fn notify(&self, notice: &Notice);

    /// Writes a line to the application's log.
    fn log(&self, line: Line);

    /// The engine is disposed of: only what storage was asked for goes on.
    fn close(&self);
}

/// A parsed JSON text of a host.
pub type Value<H> = <<H as Host>::Formats as Formats>::Value;

/// A place that keeps the session's record as a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Shared by all tabs of the origin.
    Local,
    /// This tab's own.
    Session,
    /// The application's.
    Custom,
}

/// Names one load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Load {
    /// From where.
    pub place: Place,
    /// Which.
    pub id: u32,
}

/// Names one store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Store {
    /// Where.
    pub place: Place,
    /// Which.
    pub id: u32,
}

/// What a load brought.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Loaded {
    /// A text.
    Text(String),
    /// Nothing is there.
    Nothing,
    /// The place cannot be read.
    Failed,
}

/// What observers are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The snapshot is another one.
    Snapshot,
    /// Something happened, at this wall-clock time.
    Event(Event, Millis),
}

/// A line for the application's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The token endpoint answered a refresh with something else than tokens.
    Refused(Refused),
    /// A token says its times in milliseconds, and they were taken for that; or it lives for much less
    /// than the answer says, and the shorter counts. Said once.
    OddTimes,
    /// Nothing tells the server that a session is over.
    NoRevokeUrl,
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(..)",
            Self::Nothing => "Nothing",
            Self::Failed => "Failed",
        })
    }
}
