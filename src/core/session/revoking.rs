//! Telling the server that a session is over; tried until it has heard, while the page lives.

use core::mem;

use super::{context::Context, revocations::Revocation, waiters::Want};
use crate::core::{
    effect::{Effect, Outcome, RevokeRequest},
    entropy::Entropy,
    event::Event,
    ids::{RevokeId, WaiterId},
    policy::Credential,
    record::Record,
    retry,
};

impl<E: Entropy> Context<E> {
    pub(super) fn revoke(&mut self, request: RevokeRequest, record: Record) {
        let until = self.now();
        let mut revocation = Revocation { request, record, failures: 0, sent: None, until };
        self.send_revoke(&mut revocation);
        self.revocations.0.push(revocation);
        self.await_revokes();
    }

    /// Settles `waiter` when the newest revocation has had its first answer.
    #[inline(always)] // A copy is smaller than a call.
    pub(super) fn await_revoke(&mut self, waiter: WaiterId) {
        self.wait(waiter, Want::SignOut { revoke: None });
        self.await_revokes();
    }

    /// The sign-outs that wait for a session to be found wait for the newest revocation now, if it
    /// has not been answered yet; else they are settled.
    pub(super) fn await_revokes(&mut self) {
        let newest = self.revocations.0.last().filter(|it| it.failures == 0);
        let newest = newest.and_then(|it| it.sent);
        for waiter in self.waiters.iter_mut() {
            if let Want::SignOut { revoke: revoke @ None } = &mut waiter.want {
                *revoke = newest;
            }
        }
        self.settle_sign_outs(None);
    }

    /// Settles the sign-outs that wait for this revocation, or for nothing yet.
    pub(super) fn settle_sign_outs(&mut self, revoke: Option<RevokeId>) {
        self.settle_where(&|waiter| {
            (waiter.want == Want::SignOut { revoke }).then_some(Outcome::Done)
        });
    }

    /// A user signed in. A cookie goes with every request: revoking an older session now would
    /// revoke theirs.
    pub(super) fn forget_cookie_revokes(&mut self) {
        if self.policy.credential == Credential::Cookie {
            self.forget_revokes();
        }
    }

    /// Gives up on all of them.
    pub(super) fn forget_revokes(&mut self) {
        for revocation in mem::take(&mut self.revocations.0) {
            self.settle_sign_outs(revocation.sent);
        }
    }

    pub(super) fn revoke_answered(&mut self, revoke: RevokeId, revoked: bool) {
        // They stay in their order: the newest is the last.
        for mut revocation in mem::take(&mut self.revocations.0) {
            if revocation.sent == Some(revoke) {
                if revoked {
                    self.settle_sign_outs(revocation.sent);
                    revocation.record.end.settled = true;
                    self.write(&revocation.record);
                    continue;
                }
                self.revoke_failed(&mut revocation);
            }
            self.revocations.0.push(revocation);
        }
    }

    fn revoke_failed(&mut self, revocation: &mut Revocation) {
        self.settle_sign_outs(revocation.sent.take());
        revocation.failures += 1;
        let wait = self.backoff(revocation.failures, retry::LONGEST);
        revocation.until = self.now() + wait;
        self.emit(Event::RevokeFailed { retry_at: self.clock.wall_at(revocation.until) });
    }

    /// Repeats what has failed and is due; `wake` repeats it whether due or not.
    pub(super) fn retry_revokes(&mut self, wake: bool) {
        let now = self.now();
        for mut revocation in mem::take(&mut self.revocations.0) {
            if revocation.sent.is_some() && revocation.until <= now {
                self.revoke_failed(&mut revocation);
            }
            if revocation.sent.is_none() && (wake || revocation.until <= now) {
                self.send_revoke(&mut revocation);
            }
            self.revocations.0.push(revocation);
        }
    }

    fn send_revoke(&mut self, revocation: &mut Revocation) {
        let revoke = RevokeId(self.id());
        self.push(Effect::Revoke { revoke, request: revocation.request.clone() });
        revocation.sent = Some(revoke);
        revocation.until = self.now() + self.policy.timeout;
    }
}
