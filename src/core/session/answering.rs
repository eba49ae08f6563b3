//! What follows from the server's answer: tokens, another try, or the end.

use core::{mem, ops::ControlFlow};

use super::{
    context::Context,
    ending::{Ending, STORAGE_WAIT, Scope},
    flight::{Backing, Errand, Flight, Lock, Pause, Sealing, Sending, Verifying},
    live::{Announce, Flow, Live},
    refreshing::ASKS,
};
use crate::core::{
    clock::{Millis, Moment},
    entropy::Entropy,
    error::Error,
    event::{Event, FailureReason},
    grant::Grant,
    ids::Attempt,
    input::Answer,
    reason::EndReason,
    record::Hold,
    retry,
    verdict::Verdict,
};

impl Live {
    pub(super) fn answered<E: Entropy>(
        &mut self,
        attempt: Attempt,
        answer: Answer,
        ctx: &mut Context<E>,
    ) -> Flow {
        let sending = match mem::take(&mut self.flight) {
            Flight::Sending(sending) if sending.attempt == attempt => sending,
            other => {
                self.flight = other;
                ctx.stats.outcomes.discarded += 1;
                return ControlFlow::Continue(());
            }
        };
        match Verdict::from(answer) {
            Verdict::Granted(grant) => return self.commit(sending, *grant, ctx),
            Verdict::Transient { error, retry_after } => {
                self.failed(sending.errand, sending.lock, error, retry_after, ctx);
            }
            Verdict::Superseded => self.verify(sending, None, ctx),
            Verdict::Final { error, reason } => self.verify(sending, Some((error, reason)), ctx),
        }
        ControlFlow::Continue(())
    }

    pub(super) fn commit<E: Entropy>(
        &mut self,
        sending: Sending,
        grant: Grant,
        ctx: &mut Context<E>,
    ) -> Flow {
        let Sending { errand, lock, generation, key, sent, .. } = sending;
        if let (Some(old), Some(new)) = (self.record.term.subject.as_deref(), grant.subject())
            && old != new
        {
            lock.release(ctx);
            ctx.stats.outcomes.r#final += 1;
            return ControlFlow::Break(Ending::local(EndReason::SubjectChanged, Scope::Tabs));
        }
        let issued = sent + (ctx.now() - sent) / 2;
        let mut term = self.term(grant, issued, true, ctx);
        term.generation = generation + 1;
        term.rotated_by = key;
        self.record.renew(term);
        ctx.stats.outcomes.committed += 1;
        self.adopt(Some(errand.reason), ctx);
        ctx.settle_refreshes();
        let write = ctx.write(&self.record);
        let until = ctx.now() + STORAGE_WAIT;
        self.flight = Flight::Sealing(Sealing { lock, write, until });
        ControlFlow::Continue(())
    }

    /// Persisted, so announce, then release.
    pub(super) fn sealed<E: Entropy>(&self, sealing: Sealing, ctx: &mut Context<E>) {
        self.announce(Announce::Tokens, ctx);
        sealing.lock.release(ctx);
    }

    pub(super) fn verify<E: Entropy>(
        &mut self,
        sending: Sending,
        verdict: Option<(Error, EndReason)>,
        ctx: &mut Context<E>,
    ) {
        let Sending { errand, lock, generation, .. } = sending;
        let until = ctx.now() + STORAGE_WAIT;
        let read = ctx.read();
        self.flight =
            Flight::Verifying(Verifying { errand, lock, read, generation, verdict, until });
    }

    pub(super) fn verified<E: Entropy>(
        &mut self,
        verifying: Verifying,
        ctx: &mut Context<E>,
    ) -> Flow {
        let Verifying { mut errand, lock, generation, verdict, .. } = verifying;
        if self.record.term.generation > generation && self.held.is_some() {
            // Somebody was faster, and only the tokens are missing here.
            errand.superseded += 1;
            self.failed(errand, lock, Error::Unavailable, None, ctx);
            return ControlFlow::Continue(());
        }
        let (error, reason, scope) = match verdict {
            Some((error, reason)) => (error, reason, Scope::Tabs),
            None if errand.superseded + 1 < ASKS => {
                errand.superseded += 1;
                self.failed(errand, lock, Error::Unavailable, None, ctx);
                return ControlFlow::Continue(());
            }
            // Somebody else holds the newer token, and it is none of our tabs: whoever it is, the
            // family is revoked.
            None => {
                let scope = Scope::Server { everywhere: false };
                (Error::SignedOutByServer, EndReason::Revoked, scope)
            }
        };
        lock.release(ctx);
        ctx.stats.outcomes.r#final += 1;
        ControlFlow::Break(match self.held {
            Some(_) => Ending { reason, fence: generation, scope, error: Some(error) },
            None => Ending::local(EndReason::None, Scope::Tab),
        })
    }

    /// A passing failure: everything is kept, and tried again later.
    pub(super) fn failed<E: Entropy>(
        &mut self,
        mut errand: Errand,
        lock: Lock,
        error: Error,
        retry_after: Option<Millis>,
        ctx: &mut Context<E>,
    ) {
        lock.release(ctx);
        let now = ctx.now();
        errand.failures = errand.failures.max(self.record.failures()) + 1;
        ctx.stats.outcomes.transient += 1;
        errand.hurried = false;
        // The server may ask for more patience than ours, not for less.
        let own = retry::backoff(errand.failures, &mut ctx.entropy);
        let wait = retry_after.map_or(own, |wait| wait.max(own));
        let until = now + wait;
        // What goes beyond the server's wish is ours to cut short.
        let why = if retry_after == Some(wait) { Pause::Server } else { Pause::Own };
        let since = ctx.clock.wall_at(now);
        let hold = Hold {
            generation: self.record.term.generation,
            until: since + wait,
            since,
            server_until: retry_after.map_or(0, |wait| since + wait),
            failures: errand.failures,
        };
        self.record.delay(hold);
        self.share(Announce::News, ctx);
        self.last_error = Some(error);
        ctx.emit(Event::RefreshFailed {
            error,
            reason: FailureReason::Attempt(errand.reason),
            retry_at: Some(ctx.clock.wall_at(until)),
        });
        self.pause(errand, until, why, error, ctx);
    }

    pub(super) fn pause<E: Entropy>(
        &mut self,
        errand: Errand,
        until: Moment,
        why: Pause,
        error: Error,
        ctx: &mut Context<E>,
    ) {
        self.flight = Flight::Backing(Backing { errand, until, why });
        ctx.settle_attempt(error);
    }
}
