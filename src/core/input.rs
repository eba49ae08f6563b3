//! Everything that can happen to a session: the machine's one door in.

use super::{
    clock::Millis,
    error::Error,
    grant::Grant,
    ids::{Attempt, LeaseId, ReadId, RevokeId, StartId, Ticket, WaiterId, WriteId},
    peers::Message,
    record::Record,
    verdict::Answer,
};

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The application signed somebody in.
    Start {
        /// The tokens, already parsed.
        grant: Grant,
        /// Names this start.
        start: StartId,
    },
    /// A `start` that was queued while the code loaded turned out to hold a bad token.
    StartFailed(Error),
    /// Page load: find a session.
    Restore {
        /// Settled with `Outcome::Done`.
        waiter: WaiterId,
    },
    /// Stop here, quietly. With a start, only if that start is still the current one.
    Cancel(Option<StartId>),
    /// End the session in every tab and on the server.
    SignOut {
        /// Settled with `Outcome::Done`.
        waiter: WaiterId,
        /// All of the user's sessions, not only this one.
        everywhere: bool,
    },
    /// Somebody needs a token: settled with `Token`, `Anonymous` or `Failed`.
    TokenWanted {
        /// Who.
        waiter: WaiterId,
        /// For how long it must still be good.
        min_validity: Millis,
    },
    /// A request that carried our token got 401. Settled with `Token` or `Original`.
    Unauthorized {
        /// Who waits to resend; absent when the request cannot be sent again.
        waiter: Option<WaiterId>,
        /// The lease that the request carried.
        lease: LeaseId,
    },
    /// The application wants new claims. Settled with `Done` or `Failed`.
    RefreshWanted {
        /// Who.
        waiter: WaiterId,
    },
    /// A waiter's caller has given up; it is not settled any more.
    Abandon(WaiterId),
    /// The answer to `Effect::SendRefresh`.
    RefreshAnswered {
        /// Which.
        attempt: Attempt,
        /// What came back.
        answer: Answer,
    },
    /// The lock is ours until it is released.
    LockGranted(Ticket),
    /// There are no locks here, or the request for one failed.
    LockUnavailable(Ticket),
    /// The answer to `Effect::Read`.
    RecordRead {
        /// Which.
        read: ReadId,
        /// What lies there.
        found: ReadResult,
    },
    /// The answer to `Effect::Write`.
    RecordWritten {
        /// Which.
        write: WriteId,
        /// The record as it now lies there, another tab's news included.
        written: WriteResult,
    },
    /// Another tab said something on the session's channel.
    PeerMessage(Message),
    /// Another tab changed the shared record.
    RecordChanged(ReadResult),
    /// User input. The shell may leave out what follows within a second.
    Activity,
    /// `touch()`: the same, made known to the other tabs at once.
    Touch,
    /// Continuous input begins (`true`) or ends (`false`); they nest.
    Hold(bool),
    /// The page came to the front, or was resumed, or came back from the back/forward cache.
    Woken(Wake),
    /// The page is about to be frozen, cached or closed: let go of what others may wait for, and
    /// begin nothing.
    Leaving,
    /// The platform says that there is a network again, or none.
    Online(bool),
    /// The deadline that `next_deadline` gave has come, or any other time has.
    TimerFired,
    /// A response carried a newer access token.
    HeaderToken {
        /// The token, already parsed.
        grant: Grant,
        /// The lease of the request it answered.
        lease: LeaseId,
    },
    /// The answer to `Effect::Revoke`.
    RevokeAnswered {
        /// Which.
        revoke: RevokeId,
        /// Whether the server has ended the session.
        revoked: bool,
    },
    /// Let go of everything; only `Effect::Settle` and releases follow.
    Dispose,
}

/// How the page came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wake {
    /// Visible again: counts as user input.
    Visible,
    /// Resumed from freezing, focused, or shown from the back/forward cache.
    Resumed,
}

/// What a read of the shared record found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadResult {
    /// A record.
    Record(Box<Record>),
    /// Nothing.
    Nothing,
    /// Something that is not a record of this version.
    Corrupt,
    /// Storage cannot be read.
    Unavailable,
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteResult {
    /// Stored, joined with what lay there.
    Stored(Box<Record>),
    /// Storage cannot be written.
    Failed,
}
