//! Decides whether a session is over, and ends it.

use core::ops::ControlFlow;

use super::{
    context::Context,
    ending::{Ended, Ending, Flow, STORAGE_WAIT, Scope},
    live::{Live, PendingReread, Sharing},
};
use crate::core::{
    effect::{Effect, RevokeRequest},
    entropy::Entropy,
    event::Event,
    ids::ReadId,
    policy::{Credential, IdleMode},
    reason::EndReason,
    record::End,
};

impl Live {
    /// Ends are decided before anything else, on what all tabs know: the shared record is read
    /// first. The user may have been there, or another one may have signed in.
    pub(super) fn decide_end<E: Entropy>(&mut self, ctx: &mut Context<E>) {
        if self.pending_reread.is_none() && self.due_end(ctx).is_some() {
            self.reread(false, ctx);
        }
    }

    /// The end that is due, on what is known.
    pub(super) fn due_end<E: Entropy>(&self, ctx: &Context<E>) -> Option<EndReason> {
        let (at, reason) = self.end(ctx);
        (at <= ctx.now()).then_some(reason)
    }

    /// Ends the session if an end is due.
    pub(super) fn end_now<E: Entropy>(&self, ctx: &Context<E>) -> Flow {
        let Some(reason) = self.due_end(ctx) else { return ControlFlow::Continue(()) };
        // A cookie cannot be forgotten by the page, only revoked.
        let revoke = match reason {
            _ if ctx.policy.credential == Credential::Cookie => true,
            EndReason::Idle => ctx.policy.idle_mode == IdleMode::End,
            EndReason::MaxAge => true,
            _ => false,
        };
        let scope = if revoke { Scope::Server { everywhere: false } } else { Scope::Tabs };
        ControlFlow::Break(Ending::local(reason, scope))
    }

    /// Reads the shared record before anything else is decided.
    pub(super) fn reread<E: Entropy>(&mut self, input: bool, ctx: &mut Context<E>) {
        if let Some(pending_reread) = &mut self.pending_reread {
            pending_reread.input |= input;
        } else {
            let read = ctx.read();
            let until = ctx.now() + STORAGE_WAIT;
            self.pending_reread = Some(PendingReread { read, until, input, holds: None });
        }
    }

    /// The reread has been absorbed: whatever waited for it is decided now.
    pub(super) fn reread_answered<E: Entropy>(
        &mut self,
        read: ReadId,
        ctx: &mut Context<E>,
    ) -> Flow {
        match self.pending_reread.take() {
            Some(pending_reread) if pending_reread.read == read => {
                self.begin_reread(&pending_reread, ctx)
            }
            pending_reread => {
                self.pending_reread = pending_reread;
                ControlFlow::Continue(())
            }
        }
    }

    pub(super) fn reread_overdue<E: Entropy>(&mut self, ctx: &mut Context<E>) -> Flow {
        match self.pending_reread.take() {
            Some(pending_reread) if pending_reread.until <= ctx.now() => {
                ctx.storage_failed();
                self.begin_reread(&pending_reread, ctx)
            }
            pending_reread => {
                self.pending_reread = pending_reread;
                ControlFlow::Continue(())
            }
        }
    }

    fn begin_reread<E: Entropy>(
        &mut self,
        pending_reread: &PendingReread,
        ctx: &mut Context<E>,
    ) -> Flow {
        let flow = self.end_now(ctx);
        ctx.holds = pending_reread.holds.unwrap_or(ctx.holds);
        flow?;
        if pending_reread.input {
            ctx.waking = true;
            self.input(false, ctx);
        }
        ControlFlow::Continue(())
    }

    pub(super) fn end_as<E: Entropy>(mut self, ending: Ending, ctx: &mut Context<E>) -> Ended {
        let Ending { reason, fence, scope, error } = ending;
        core::mem::take(&mut self.refresh_state).abandon(ctx);
        let revoke = match scope {
            Scope::Server { everywhere } => self.revocation(everywhere, ctx),
            _ => None,
        };
        if scope == Scope::Tab {
            // No tab writes the end here, so what only this tab stores goes separately.
            ctx.push(Effect::Forget);
        } else {
            self.record.finish(End { fence, reason, settled: revoke.is_none() });
            ctx.write(&self.record);
            self.announce(Sharing::WithoutTokens, ctx);
        }
        if let Some(request) = revoke {
            ctx.revoke(request, self.record.clone());
        }
        ctx.settle_ended(error);
        if reason == EndReason::SubjectChanged {
            ctx.emit(Event::SubjectChanged);
        }
        // Who was never told of a session is told of its end only if they asked for it.
        let asked = match scope {
            Scope::Server { .. } => reason == EndReason::SignedOut,
            _ => reason == EndReason::Cancelled,
        };
        if self.current.is_some() || asked {
            ctx.emit(Event::SignedOut { reason });
        }
        let error = error.or(self.last_error).filter(|_| reason != EndReason::None);
        Ended { reason, record: Some(self.record), error }
    }

    fn revocation<E: Entropy>(&self, everywhere: bool, ctx: &Context<E>) -> Option<RevokeRequest> {
        let tokens = self.current.as_ref().map(|current| current.tokens.clone());
        let cookie = ctx.policy.credential == Credential::Cookie;
        (tokens.is_some() || cookie).then(|| RevokeRequest {
            access_token: tokens.as_ref().map(|tokens| tokens.access.clone()),
            refresh_token: tokens.and_then(|tokens| tokens.refresh),
            everywhere,
        })
    }
}
