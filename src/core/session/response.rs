//! What follows from the server's answer: tokens, another try, or the end.

use core::{mem, ops::ControlFlow};

use super::{
    context::Context,
    ending::{Ending, Flow, STORAGE_WAIT, Scope},
    live::{Live, Sharing},
    refresh_state::{
        AwaitingResponse, BackingOff, ConfirmingRefusal, Lock, Pause, RefreshContext, RefreshState,
        StoringTokens,
    },
    refreshing::ASKS,
    restoring::new_sid,
};
use crate::core::{
    clock::{Millis, Moment},
    entropy::Entropy,
    error::Error,
    event::{Event, FailureReason},
    grant::Grant,
    ids::Attempt,
    reason::EndReason,
    record::{Backoff, Doubts, PATIENCE},
    retry,
    verdict::{Answer, Verdict},
};

impl Live {
    pub(super) fn answered<E: Entropy>(
        &mut self,
        attempt: Attempt,
        answer: Answer,
        ctx: &mut Context<E>,
    ) -> Flow {
        let sending = match mem::take(&mut self.refresh_state) {
            RefreshState::AwaitingResponse(sending) if sending.attempt == attempt => sending,
            other => {
                self.refresh_state = other;
                ctx.stats.outcomes.discarded += 1;
                return ControlFlow::Continue(());
            }
        };
        // What never came was no answer.
        let silent = matches!(answer, Answer::Unreachable | Answer::Failed { .. });
        // Any answer is one of the network.
        ctx.online |= !silent;
        let (_, doubts) = self.record.failures();
        match Verdict::from(answer) {
            Verdict::Granted(grant) => return self.commit(sending, *grant, ctx),
            Verdict::Transient { error, retry_after } => {
                let kept = Doubts { superseded: doubts.superseded, ..Doubts::default() };
                let doubts = if silent { doubts } else { kept };
                self.failed(sending.refresh, sending.lock, error, retry_after, doubts, ctx);
            }
            Verdict::Doubtful { error, retry_after } => {
                let wall = ctx.clock.wall_at(ctx.now());
                let doubts = doubts.and(wall);
                if doubts.convince(wall) && self.expired(ctx) {
                    self.verify(sending, Some((Error::Rejected, EndReason::Revoked)), ctx);
                } else {
                    self.failed(sending.refresh, sending.lock, error, retry_after, doubts, ctx);
                }
            }
            Verdict::Superseded => self.verify(sending, None, ctx),
            Verdict::Final { error, reason } => self.verify(sending, Some((error, reason)), ctx),
        }
        ControlFlow::Continue(())
    }

    pub(super) fn commit<E: Entropy>(
        &mut self,
        sending: AwaitingResponse,
        grant: Grant,
        ctx: &mut Context<E>,
    ) -> Flow {
        let AwaitingResponse { refresh, lock, generation, key, sent, .. } = sending;
        if let (Some(old), Some(new)) = (self.record.token_set.subject.as_deref(), grant.subject())
            && old != new
        {
            lock.release(ctx);
            ctx.stats.outcomes.r#final += 1;
            return ControlFlow::Break(Ending::local(EndReason::SubjectChanged, Scope::Tabs));
        }
        if self.record.is_guess() {
            // A user is signed in after all, since now as far as a tab can tell.
            self.record.sid = new_sid(ctx);
            self.record.started_at = self.record.started_at.max(ctx.clock.wall_at(ctx.now()));
        }
        let issued = sent + (ctx.now() - sent) / 2;
        let mut token_set = self.token_set(grant, issued, true, ctx);
        token_set.generation = match self.record.pending_key() {
            // What another tab brought meanwhile was no answer to this.
            Some(pending) if pending == key => self.record.token_set.generation,
            _ => generation,
        } + 1;
        token_set.rotated_by = key;
        self.record.renew(token_set);
        ctx.stats.outcomes.committed += 1;
        self.adopt(Some(refresh.reason), ctx);
        ctx.settle_refreshes();
        let write = ctx.write(&self.record);
        let until = ctx.now() + STORAGE_WAIT;
        self.refresh_state = RefreshState::StoringTokens(StoringTokens { lock, write, until });
        ControlFlow::Continue(())
    }

    /// Persisted, so announce, then release.
    pub(super) fn sealed<E: Entropy>(&self, sealing: StoringTokens, ctx: &mut Context<E>) {
        self.announce(Sharing::WithTokens, ctx);
        sealing.lock.release(ctx);
    }

    pub(super) fn verify<E: Entropy>(
        &mut self,
        sending: AwaitingResponse,
        verdict: Option<(Error, EndReason)>,
        ctx: &mut Context<E>,
    ) {
        let AwaitingResponse { refresh, lock, generation, .. } = sending;
        let until = ctx.now() + STORAGE_WAIT;
        let read = ctx.read();
        self.refresh_state = RefreshState::ConfirmingRefusal(ConfirmingRefusal {
            refresh,
            lock,
            read,
            generation,
            verdict,
            until,
        });
    }

    pub(super) fn verified<E: Entropy>(
        &mut self,
        verifying: ConfirmingRefusal,
        ctx: &mut Context<E>,
    ) -> Flow {
        let ConfirmingRefusal { refresh, lock, generation, verdict, .. } = verifying;
        // Or another tab was faster, and only the tokens are missing here.
        let missing = self.record.token_set.generation > generation && self.current.is_some();
        let superseded = self.record.failures().1.superseded + 1;
        if missing || verdict.is_none() && superseded < ASKS {
            let doubts = Doubts { superseded, ..Doubts::default() };
            self.failed(refresh, lock, Error::Unavailable, None, doubts, ctx);
            return ControlFlow::Continue(());
        }
        let (error, reason, scope) = match verdict {
            Some((error, reason)) => (error, reason, Scope::Tabs),
            // Somebody else holds the newer token, and it is none of our tabs: whoever it is, the
            // family is revoked.
            None => {
                let scope = Scope::Server { everywhere: false };
                (Error::SignedOutByServer, EndReason::Revoked, scope)
            }
        };
        lock.release(ctx);
        ctx.stats.outcomes.r#final += 1;
        ControlFlow::Break(match self.current {
            Some(_) => Ending { reason, fence: generation, scope, error: Some(error) },
            None => Ending::local(EndReason::None, Scope::Tab),
        })
    }

    /// A passing failure: everything is kept, and tried again later.
    pub(super) fn failed<E: Entropy>(
        &mut self,
        mut refresh: RefreshContext,
        lock: Lock,
        error: Error,
        retry_after: Option<Millis>,
        doubts: Doubts,
        ctx: &mut Context<E>,
    ) {
        lock.release(ctx);
        let now = ctx.now();
        let failures = self.record.failures().0 + 1;
        ctx.stats.outcomes.transient += 1;
        refresh.hurried = false;
        // The server may ask for more patience than ours, not for less.
        let own = ctx.backoff(failures, retry::longest(self.record.token_set.lifetime));
        let retry_after = retry_after.map(|wait| wait.min(PATIENCE));
        let wait = retry_after.map_or(own, |wait| wait.max(own));
        let until = now + wait;
        // What goes beyond the server's wish is ours to cut short.
        let why = if retry_after == Some(wait) { Pause::Server } else { Pause::Own };
        let since = ctx.clock.wall_at(now);
        let backoff = Backoff {
            generation: self.record.token_set.generation,
            until: since + wait,
            since,
            server_until: retry_after.map_or(0, |wait| since + wait),
            failures,
            doubts,
        };
        self.record.delay(backoff);
        self.share(Sharing::WithoutTokens, ctx);
        self.last_error = Some(error);
        ctx.emit(Event::RefreshFailed {
            error,
            reason: FailureReason::Attempt(refresh.reason),
            retry_at: Some(ctx.clock.wall_at(until)),
        });
        self.pause(refresh, until, why, error, ctx);
    }

    pub(super) fn pause<E: Entropy>(
        &mut self,
        refresh: RefreshContext,
        until: Moment,
        why: Pause,
        error: Error,
        ctx: &mut Context<E>,
    ) {
        self.refresh_state = RefreshState::BackingOff(BackingOff { refresh, until, why });
        ctx.settle_attempt(error);
    }
}
