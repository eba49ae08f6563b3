//! Everything that the machine wants done: its one door out.

use core::fmt;

use super::{
    clock::{Millis, Moment},
    error::Error,
    event::Event,
    ids::{Attempt, LeaseId, ReadId, RevokeId, Ticket, WaiterId, WriteId},
    reason::RefreshReason,
    record::Record,
};

/// One thing to do, in the order given.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Ask the token endpoint for new tokens; answer with `RefreshAnswered`.
    SendRefresh {
        /// Names this request.
        attempt: Attempt,
        /// What to send.
        request: RefreshRequest,
    },
    /// The answer is no longer wanted.
    AbortRefresh(Attempt),
    /// Ask for the session's lock; answer with `LockGranted` or `LockUnavailable`.
    AcquireLock(Ticket),
    /// Give the lock back, or stop waiting for it.
    ReleaseLock(Ticket),
    /// Read the shared record; answer with `RecordRead`.
    Read(ReadId),
    /// Join this record with the shared one and store the result; answer with `RecordWritten`.
    Write {
        /// Names this write.
        write: WriteId,
        /// What to join.
        record: Box<Record>,
    },
    /// Drop the tokens that only this tab stores; other tabs' stay.
    Forget,
    /// Tell the other tabs.
    Broadcast(String),
    /// Answer somebody who waits.
    Settle {
        /// Who.
        waiter: WaiterId,
        /// With what.
        outcome: Outcome,
    },
    /// The token that requests may carry changed.
    Lease(Option<Lease>),
    /// Tell the server that the session is over; answer with `RevokeAnswered`.
    Revoke {
        /// Names this revocation.
        revoke: RevokeId,
        /// What to send.
        request: RevokeRequest,
    },
    /// Tell the observers, after everything else of this drain.
    Emit(Event),
}

/// What a caller gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A valid token.
    Token(Lease),
    /// Nobody is signed in.
    Anonymous,
    /// The 401 stands: hand it to the caller.
    Original,
    /// What was asked for has happened.
    Done,
    /// It cannot be had.
    Failed(Error),
}

/// The right to use an access token unasked for a while.
#[derive(Clone, PartialEq, Eq)]
pub struct Lease {
    /// Names the token set.
    pub id: LeaseId,
    /// The access token.
    pub access_token: String,
    /// From this wall time (a clock set back must ask) ...
    pub from: Millis,
    /// ... until this one the token may be used without asking the machine.
    pub until: Millis,
}

/// What a refresh request carries.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshRequest {
    /// The current access token, if there still is one.
    pub access_token: Option<String>,
    /// The refresh token, if the page holds one.
    pub refresh_token: Option<String>,
    /// The same on every retry of one rotation.
    pub rotation_key: String,
    /// Why.
    pub reason: RefreshReason,
    /// Last user input, wall clock.
    pub last_activity_at: Millis,
}

/// What a revocation carries.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RevokeRequest {
    /// The access token, if there is one.
    pub access_token: Option<String>,
    /// The refresh token, if the page holds one.
    pub refresh_token: Option<String>,
    /// All of the user's sessions.
    pub everywhere: bool,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lease({}, {}..{})", self.id.0, self.from, self.until)
    }
}

impl fmt::Debug for RefreshRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RefreshRequest({})", self.reason.as_str())
    }
}

impl fmt::Debug for RevokeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RevokeRequest(everywhere: {})", self.everywhere)
    }
}

/// When the machine wants to be called again, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The moment.
    pub at: Moment,
    /// How long from now; 0 when it is overdue.
    pub after: Millis,
    /// What for.
    pub timer: super::timer::Timer,
}
