//! Telling the server that a session is over; tried until it has heard, while the page lives.

use super::context::Context;
use crate::core::{
    clock::Moment,
    effect::{Effect, Outcome, RevokeId, RevokeRequest, WaiterId},
    entropy::Entropy,
    event::Event,
    policy::Credential,
    record::Record,
    retry,
};

#[derive(Clone, Debug, Default)]
pub(super) struct Revocations(Vec<Revocation>);

#[derive(Clone, Debug)]
struct Revocation {
    request: RevokeRequest,
    /// The record to mark once the server knows.
    record: Option<Record>,
    waiters: Vec<WaiterId>,
    failures: u32,
    stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Sent { revoke: RevokeId, until: Moment },
    Waiting { until: Moment },
}

impl Revocations {
    /// Gives up on all of them; who waits for them is given back.
    pub(super) fn forget(&mut self) -> Vec<WaiterId> {
        self.0.drain(..).flat_map(|revocation| revocation.waiters).collect()
    }

    pub(super) fn next_deadline(&self, online: bool) -> Option<Moment> {
        self.0
            .iter()
            .filter_map(|revocation| match revocation.stage {
                Stage::Sent { until, .. } => Some(until),
                Stage::Waiting { until } => Some(until).filter(|_| online),
            })
            .min()
    }
}

impl<E: Entropy> Context<E> {
    pub(super) fn revoke(&mut self, request: RevokeRequest, record: Option<Record>) {
        let stage = self.send_revoke(&request);
        self.revocations.0.push(Revocation {
            request,
            record,
            waiters: Vec::new(),
            failures: 0,
            stage,
        });
    }

    /// Settles `waiter` when the newest revocation has had its first answer; at once if there is
    /// none under way.
    pub(super) fn await_revoke(&mut self, waiter: WaiterId) {
        match self.revocations.0.last_mut().filter(|revocation| revocation.failures == 0) {
            Some(revocation) => revocation.waiters.push(waiter),
            None => self.settle(waiter, Outcome::Done),
        }
    }

    pub(super) fn await_revokes(&mut self, waiters: Vec<WaiterId>) {
        for waiter in waiters {
            self.await_revoke(waiter);
        }
    }

    /// Somebody signed in. A cookie goes with every request: revoking an older session now would
    /// revoke theirs.
    pub(super) fn forget_cookie_revokes(&mut self) {
        if self.policy.credential == Credential::Cookie {
            for waiter in self.revocations.forget() {
                self.settle(waiter, Outcome::Done);
            }
        }
    }

    pub(super) fn revoke_answered(&mut self, revoke: RevokeId, revoked: bool) {
        let of =
            |stage: &Stage| matches!(stage, Stage::Sent { revoke: sent, .. } if *sent == revoke);
        let Some(at) = self.revocations.0.iter().position(|it| of(&it.stage)) else { return };
        let mut revocation = self.revocations.0.swap_remove(at);
        for waiter in core::mem::take(&mut revocation.waiters) {
            self.settle(waiter, Outcome::Done);
        }
        if revoked {
            if let Some(mut record) = revocation.record {
                record.end.settled = true;
                self.write(&record);
            }
            return;
        }
        revocation.failures += 1;
        let until = self.now() + retry::backoff(revocation.failures, &mut self.entropy);
        revocation.stage = Stage::Waiting { until };
        self.revocations.0.push(revocation);
        self.emit(Event::RevokeFailed { retry_at: self.clock.wall_at(until) });
    }

    /// Repeats what has failed and is due; `wake` repeats it whether due or not.
    pub(super) fn retry_revokes(&mut self, wake: bool) {
        let now = self.now();
        let overdue = |stage: &Stage| match *stage {
            Stage::Sent { revoke, until } if until <= now => Some(revoke),
            _ => None,
        };
        while let Some(revoke) = self.revocations.0.iter().find_map(|it| overdue(&it.stage)) {
            self.revoke_answered(revoke, false);
        }
        let mut revocations = core::mem::take(&mut self.revocations.0);
        for revocation in &mut revocations {
            let due = matches!(revocation.stage, Stage::Waiting { until } if wake || until <= now);
            if due && self.online {
                revocation.stage = self.send_revoke(&revocation.request);
            }
        }
        self.revocations.0 = revocations;
    }

    fn send_revoke(&mut self, request: &RevokeRequest) -> Stage {
        let revoke = self.id();
        self.push(Effect::Revoke { revoke, request: request.clone() });
        Stage::Sent { revoke, until: self.now() + self.policy.timeout }
    }
}
