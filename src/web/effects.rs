//! From effects, and from what a session looks like, to numbers and texts.

use super::host::{Crypto, error, number, option, text, time};
use crate::core::{
    clock::Millis,
    effect::{Effect, Lease, Outcome},
    event::Event,
    session::Session,
    stats::Stats,
};

// As pkg/src/engine.ts lists them.
const SEND_REFRESH: u32 = 0;
const ABORT_REFRESH: u32 = 1;
const ACQUIRE_LOCK: u32 = 2;
const RELEASE_LOCK: u32 = 3;
const READ: u32 = 4;
const WRITE: u32 = 5;
const FORGET: u32 = 6;
const BROADCAST: u32 = 7;
const SETTLE_TOKEN: u32 = 8;
const SETTLE: u32 = 9;
const FAIL: u32 = 10;
const LEASE: u32 = 11;
const REVOKE: u32 = 12;
const EMIT: u32 = 13;

/// Says all that belongs to an effect; returns its kind.
pub(crate) fn say(effect: Effect) -> u32 {
    match effect {
        Effect::SendRefresh { attempt, request } => {
            id(attempt);
            option(request.access_token.as_deref());
            option(request.refresh_token.as_deref());
            text(&request.rotation_key);
            text(request.reason.as_str());
            number(request.last_activity_at as f64);
            SEND_REFRESH
        }
        Effect::AbortRefresh(attempt) => {
            id(attempt);
            ABORT_REFRESH
        }
        Effect::AcquireLock(ticket) => {
            id(ticket);
            ACQUIRE_LOCK
        }
        Effect::ReleaseLock(ticket) => {
            id(ticket);
            RELEASE_LOCK
        }
        Effect::Read(read) => {
            id(read);
            READ
        }
        Effect::Write { write, record } => {
            id(write);
            text(&record.encode(true));
            WRITE
        }
        Effect::Forget => FORGET,
        Effect::Broadcast(message) => {
            text(&message);
            BROADCAST
        }
        Effect::Settle { waiter, outcome } => {
            id(waiter);
            match outcome {
                Outcome::Token(token) => {
                    lease(&token);
                    SETTLE_TOKEN
                }
                Outcome::Failed(failure) => {
                    error(failure);
                    FAIL
                }
                Outcome::Anonymous | Outcome::Original | Outcome::Done => SETTLE,
            }
        }
        Effect::Lease(granted) => {
            if let Some(granted) = granted {
                lease(&granted);
            }
            LEASE
        }
        Effect::Revoke { revoke, request } => {
            id(revoke);
            option(request.access_token.as_deref());
            option(request.refresh_token.as_deref());
            id(request.everywhere.into());
            REVOKE
        }
        Effect::Emit(event) => {
            emit(&event);
            EMIT
        }
    }
}

/// Says what a session looks like.
pub(crate) fn show(session: &Session<Crypto>) {
    let snapshot = session.snapshot();
    text(snapshot.status.as_str());
    option(snapshot.reason.map(|reason| reason.as_str()));
    option(snapshot.subject.as_deref());
    number(snapshot.generation as f64);
    time(snapshot.expires_at);
    time(snapshot.refresh_at);
    time(snapshot.idle_at);
    time(snapshot.ends_at);
    time(snapshot.seconds_left.map(Millis::from));
    option(session.access_token());
    if let Some(failure) = snapshot.last_error {
        error(failure);
    }
}

/// Says the counters, in the order of [`Stats`]; `waited` is not among them.
pub(crate) fn count(stats: &Stats) {
    let Stats { refreshes, outcomes, locks, storage, .. } = stats;
    for counter in [
        refreshes.scheduled,
        refreshes.unauthorized,
        refreshes.demanded,
        refreshes.explicit,
        refreshes.wake,
        refreshes.restore,
        outcomes.committed,
        outcomes.adopted,
        outcomes.transient,
        outcomes.r#final,
        outcomes.discarded,
        locks.requested,
        locks.granted,
        locks.timed_out,
        storage.reads,
        storage.writes,
        storage.failures,
    ] {
        id(counter);
    }
}

/// Type, reason, time, and the error if there is one.
fn emit(event: &Event) {
    id(event.number());
    match event {
        Event::Refreshed { reason } => option(reason.map(|reason| reason.as_str())),
        Event::RefreshFailed { reason, retry_at, error: failure } => {
            text(reason.as_str());
            time(*retry_at);
            error(*failure);
        }
        Event::Warning { reason, ends_at } => {
            text(reason.as_str());
            time(Some(*ends_at));
        }
        Event::SignedOut { reason } => text(reason.as_str()),
        Event::ClockSkew { skew: at } | Event::RevokeFailed { retry_at: at } => {
            option(None);
            time(Some(*at));
        }
        _ => {}
    }
}

fn lease(lease: &Lease) {
    id(lease.id);
    text(&lease.access_token);
    number(lease.from as f64);
    number(lease.until as f64);
}

fn id(id: u32) {
    number(id.into());
}
