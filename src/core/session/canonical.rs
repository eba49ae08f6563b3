//! Which machines are alike: for searches that must not go through the same state twice.
//!
//! Not part of the WebAssembly build.

use core::hash::{Hash, Hasher};

use super::{
    Session, State,
    context::Context,
    refresh_state::{Lock, RefreshState},
    waiters::Want,
};

impl<E> Session<E> {
    /// Gives every ticket, attempt, read, write and revocation that the machine remembers a new
    /// name. `rename` must give different names to different ones, and `last` must be no less than
    /// all of them. Names are only ever compared for equality, so the machine behaves as before.
    pub fn rename(&mut self, last: u32, rename: &mut dyn FnMut(u32) -> u32) {
        self.ctx.last_id = last;
        match &mut self.state {
            State::Live(live) => {
                if let Some(pending_reread) = &mut live.pending_reread {
                    pending_reread.read.0 = rename(pending_reread.read.0);
                }
                if let Some(write) = &mut live.opening {
                    write.0 = rename(write.0);
                }
                live.refresh_state.rename(rename);
            }
            State::Restoring(restoring) => restoring.rename(rename),
            State::Unknown | State::Ended(_) | State::Disposed => {}
        }
        self.ctx.revocations.rename(rename);
        for waiter in self.ctx.waiters.iter_mut() {
            if let Want::SignOut { revoke: Some(revoke) } = &mut waiter.want {
                revoke.0 = rename(revoke.0);
            }
        }
    }

    /// The same for the names of those who wait.
    pub fn rename_waiters(&mut self, rename: &mut dyn FnMut(u32) -> u32) {
        for waiter in self.ctx.waiters.iter_mut() {
            waiter.id.0 = rename(waiter.id.0);
        }
    }
}

impl RefreshState {
    fn rename(&mut self, rename: &mut dyn FnMut(u32) -> u32) {
        let (lock, id) = match self {
            Self::Idle | Self::AskingPeers(_) | Self::BackingOff(_) => return,
            Self::WaitingForLock(queued) => (None, Some(&mut queued.ticket.0)),
            Self::ReadingRecord(checking) => (Some(&mut checking.lock), Some(&mut checking.read.0)),
            Self::StoringKey(keying) => (Some(&mut keying.lock), Some(&mut keying.write.0)),
            Self::AgreeingOnKey(settling) => (Some(&mut settling.lock), None),
            Self::AwaitingResponse(sending) => {
                (Some(&mut sending.lock), Some(&mut sending.attempt.0))
            }
            Self::StoringTokens(sealing) => (Some(&mut sealing.lock), Some(&mut sealing.write.0)),
            Self::ConfirmingRefusal(verifying) => {
                (Some(&mut verifying.lock), Some(&mut verifying.read.0))
            }
        };
        if let Some(Lock(Some(ticket))) = lock {
            ticket.0 = rename(ticket.0);
        }
        if let Some(id) = id {
            *id = rename(*id);
        }
    }
}

/// Machines that hash alike behave alike, as long as the hash does not collide.
///
/// What is left out: the options, which do not change; the counters, which decide nothing; the last
/// reading of the clocks, which the next one replaces; when a lease was handed out.
impl<E: Hash> Hash for Session<E> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ctx.hash(state);
        self.state.hash(state);
    }
}

impl<E: Hash> Hash for Context<E> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Every field is named, so that a new one cannot be forgotten here.
        let Self {
            policy: _,
            entropy,
            clock,
            stats: _,
            waiters,
            revocations,
            online,
            holds,
            waking: _,
            leased,
            skew,
            skew_is_bound,
            last_issue,
            reported_skew,
            degraded,
            rewrite_at,
            effects,
            events,
            last_id,
            last_lease,
        } = self;
        debug_assert!(effects.is_empty() && events.is_empty(), "hash a machine at rest");
        entropy.hash(state);
        clock.steady().hash(state);
        (waiters, revocations, online, holds).hash(state);
        leased.as_ref().map(|lease| (lease.id, &lease.access_token, lease.until)).hash(state);
        (skew, skew_is_bound, last_issue, reported_skew, degraded, rewrite_at, last_id, last_lease)
            .hash(state);
    }
}
