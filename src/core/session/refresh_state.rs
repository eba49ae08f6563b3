//! One refresh, from wanting the lock to letting it go: one struct per stage, each consumed by the
//! next, so that a stage cannot be skipped or gone through twice.

use super::context::Context;
use crate::core::{
    clock::Moment,
    effect::Effect,
    entropy::Entropy,
    error::Error,
    ids::{Attempt, ReadId, Ticket, WriteId},
    reason::{EndReason, RefreshReason},
    record::{Generation, Key},
    timer::Timer,
};

/// Where the refresh stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum RefreshState {
    /// There is none.
    #[default]
    Idle,
    WaitingForLock(WaitingForLock),
    ReadingRecord(ReadingRecord),
    AskingPeers(AskingPeers),
    StoringKey(StoringKey),
    AgreeingOnKey(AgreeingOnKey),
    AwaitingResponse(AwaitingResponse),
    StoringTokens(StoringTokens),
    ConfirmingRefusal(ConfirmingRefusal),
    BackingOff(BackingOff),
}

/// Why the refresh is made, and what has become of its earlier attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RefreshContext {
    pub(super) reason: RefreshReason,
    /// How often the other tabs were asked for tokens that only they hold.
    pub(super) asked: u32,
    /// Somebody has come back to the page or asks for this very refresh: our own backoff does not
    /// hold it back.
    pub(super) hurried: bool,
    /// A caller asks for it, and nothing was sent for long enough that not even the server's wish holds
    /// it back.
    pub(super) probes: bool,
    /// It has waited for the network, or a caller needs it now.
    pub(super) despite_offline: bool,
}

/// Waits for the lock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct WaitingForLock {
    pub(super) refresh: RefreshContext,
    pub(super) ticket: Ticket,
    pub(super) until: Moment,
}

/// Holds the lock, and looks whether another tab was faster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ReadingRecord {
    pub(super) refresh: RefreshContext,
    pub(super) lock: Lock,
    pub(super) read: ReadId,
    pub(super) until: Moment,
    /// The key was settled on without a lock before this look.
    pub(super) settled: Option<Settled>,
}

/// Another tab was faster, and its tokens are not in the shared record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct AskingPeers {
    pub(super) refresh: RefreshContext,
    pub(super) until: Moment,
}

/// Makes the rotation key durable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct StoringKey {
    pub(super) refresh: RefreshContext,
    pub(super) lock: Lock,
    pub(super) write: WriteId,
    pub(super) until: Moment,
    pub(super) settled: Settled,
    /// What others have put on record is given time to come in before it is sent.
    pub(super) waits: bool,
    /// What is being stored. No other may be sent after it.
    pub(super) key: Key,
}

/// Lets what the other tabs put on record come in: their keys, so that all settle on the same one
/// where there is no lock; else the answer of the tab that held the lock before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct AgreeingOnKey {
    pub(super) refresh: RefreshContext,
    pub(super) lock: Lock,
    pub(super) settled: Settled,
    pub(super) until: Moment,
}

/// Which key this tab put on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Settled {
    /// One that it made itself.
    Made(Key),
    /// One that was there.
    Existing,
}

/// Waits for the server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct AwaitingResponse {
    pub(super) refresh: RefreshContext,
    pub(super) lock: Lock,
    pub(super) attempt: Attempt,
    /// The generation whose refresh token was sent.
    pub(super) generation: Generation,
    pub(super) key: Key,
    pub(super) sent: Moment,
    pub(super) until: Moment,
}

/// Makes the new tokens durable before the others are told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct StoringTokens {
    pub(super) lock: Lock,
    pub(super) write: WriteId,
    pub(super) until: Moment,
}

/// The server said no: looks once more whether another tab was faster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ConfirmingRefusal {
    pub(super) refresh: RefreshContext,
    pub(super) lock: Lock,
    pub(super) read: ReadId,
    pub(super) generation: Generation,
    /// The verdict; absent when the server said that another tab was faster.
    pub(super) verdict: Option<(Error, EndReason)>,
    pub(super) until: Moment,
}

/// Waits before the next attempt.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct BackingOff {
    pub(super) refresh: RefreshContext,
    pub(super) until: Moment,
    pub(super) why: Pause,
}

/// What a pause is owed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Pause {
    /// Our own backoff, or no network: a wake-up cuts it short.
    Own,
    /// The server's `Retry-After`: nothing does.
    Server,
    /// Another tab is at it, and there is no lock to wait for.
    Peer,
    /// Too many refreshes: only an explicit one is let through.
    Breaker,
}

/// The lock, if there is one to be had. Must be released: `release` consumes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub(super) struct Lock(pub(super) Option<Ticket>);

impl Lock {
    pub(super) fn release<E: Entropy>(self, ctx: &mut Context<E>) {
        if let Some(ticket) = self.0 {
            ctx.push(Effect::ReleaseLock(ticket));
        }
    }
}

impl RefreshContext {
    pub(super) const fn new(reason: RefreshReason) -> Self {
        Self { reason, asked: 0, hurried: false, probes: false, despite_offline: false }
    }
}

impl RefreshState {
    /// When it gives up waiting for what it waits for.
    pub(super) fn deadline(&self) -> Option<(Timer, Moment)> {
        Some(match self {
            Self::Idle => return None,
            Self::WaitingForLock(queued) => (Timer::LockWait, queued.until),
            Self::ReadingRecord(checking) => (Timer::StorageWait, checking.until),
            Self::AskingPeers(asking) => (Timer::PeerWait, asking.until),
            Self::StoringKey(keying) => (Timer::StorageWait, keying.until),
            Self::AgreeingOnKey(settling) => (Timer::Settle, settling.until),
            Self::AwaitingResponse(sending) => (Timer::Attempt, sending.until),
            Self::StoringTokens(sealing) => (Timer::StorageWait, sealing.until),
            Self::ConfirmingRefusal(verifying) => (Timer::StorageWait, verifying.until),
            Self::BackingOff(backing) => (Timer::Retry, backing.until),
        })
    }

    /// Drops it, whatever it is at: aborts the request and lets go of the lock.
    pub(super) fn abandon<E: Entropy>(self, ctx: &mut Context<E>) {
        match self {
            Self::Idle | Self::AskingPeers(_) | Self::BackingOff(_) => {}
            Self::WaitingForLock(queued) => ctx.push(Effect::ReleaseLock(queued.ticket)),
            Self::ReadingRecord(ReadingRecord { lock, .. })
            | Self::StoringKey(StoringKey { lock, .. })
            | Self::AgreeingOnKey(AgreeingOnKey { lock, .. })
            | Self::StoringTokens(StoringTokens { lock, .. })
            | Self::ConfirmingRefusal(ConfirmingRefusal { lock, .. }) => lock.release(ctx),
            Self::AwaitingResponse(sending) => {
                ctx.push(Effect::AbortRefresh(sending.attempt));
                ctx.stats.outcomes.discarded += 1;
                sending.lock.release(ctx);
            }
        }
    }
}
