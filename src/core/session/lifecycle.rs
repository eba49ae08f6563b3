//! Signing in and out, and letting go.

use core::{mem, ops::ControlFlow};

use super::{
    Session, State,
    context::Context,
    ending::{Ended, Ending, Scope},
    live::{Live, Sharing},
    restoring::{Leaving, Restoring, blank},
    waiters::Want,
};
use crate::core::{
    effect::{Effect, Outcome},
    entropy::Entropy,
    error::Error,
    event::Event,
    grant::Grant,
    ids::{LeaseId, StartId, WaiterId, WriteId},
    input::Input,
    policy::Credential,
    reason::EndReason,
    record::Record,
};

impl<E: Entropy> Session<E> {
    pub(super) fn start(&mut self, grant: Grant, start: StartId) {
        if let State::Live(live) = &mut self.state
            && live.holds(&grant)
        {
            live.start = Some(start);
            return;
        }
        let ctx = &mut self.ctx;
        ctx.forget_cookie_revokes();
        ctx.settle_sign_outs(None);
        let mut first_lease = LeaseId(0);
        let mut same_user = true;
        let mut before = None;
        match mem::replace(&mut self.state, State::Unknown) {
            State::Live(live) => {
                let Live { record: old, refresh_state, first_lease: lease, .. } = *live;
                refresh_state.abandon(ctx);
                same_user =
                    old.token_set.subject.is_some() && old.token_set.subject == owner(&grant);
                first_lease = if same_user { lease } else { LeaseId(0) };
                before = Some(old);
            }
            State::Ended(ended) => before = ended.record,
            _ => {}
        }
        if !same_user {
            // What waits was asked for as somebody else.
            ctx.settle_ended(None);
        }
        let record = blank(before.as_ref(), ctx);
        let mut live = Live::new(record, ctx);
        live.start = Some(start);
        live.first_lease = first_lease;
        let now = ctx.now();
        // Nothing could take the place of a token that comes alone.
        let alone =
            grant.refresh_token.is_none() && ctx.policy.credential == Credential::RefreshToken;
        live.record.token_set = live.token_set(grant, now, alone, ctx);
        live.adopt(None, ctx);
        ctx.settle_refreshes();
        live.opening = Some(live.share(Sharing::WithTokens, ctx));
        self.state = State::Live(Box::new(live));
    }

    pub(super) fn start_failed(&mut self, error: Error) {
        let ending =
            Ending { error: Some(error), ..Ending::local(EndReason::InvalidToken, Scope::Tab) };
        if matches!(self.state, State::Live(_)) {
            self.follow(ControlFlow::Break(ending));
            return;
        }
        let reason = ending.reason;
        self.state =
            State::Ended(Box::new(Ended { error: Some(error), ..Ended::without(reason, None) }));
        self.ctx.settle_ended(Some(error));
        self.ctx.emit(Event::SignedOut { reason });
    }

    pub(super) fn restore(&mut self, waiter: WaiterId) {
        let before = match mem::replace(&mut self.state, State::Unknown) {
            State::Unknown => None,
            State::Ended(ended) => Some(*ended),
            state => {
                self.state = state;
                self.ctx.wait(waiter, Want::Restore);
                return;
            }
        };
        self.ctx.wait(waiter, Want::Restore);
        self.state = State::Restoring(Restoring::begin(None, before, &mut self.ctx));
    }

    pub(super) fn cancel(&mut self, start: Option<StartId>) {
        match &mut self.state {
            State::Live(live) => {
                if start.is_none() || live.start == start {
                    let ending = Ending::local(EndReason::Cancelled, Scope::Tab);
                    self.follow(ControlFlow::Break(ending));
                }
            }
            _ if start.is_some() => {}
            State::Ended(ended) => ended.reason = EndReason::Cancelled,
            _ => {
                self.state = State::Ended(Box::new(Ended::without(EndReason::Cancelled, None)));
                self.ctx.settle_ended(None);
                self.ctx.emit(Event::SignedOut { reason: EndReason::Cancelled });
            }
        }
    }

    pub(super) fn sign_out(&mut self, waiter: WaiterId, everywhere: bool) {
        match mem::replace(&mut self.state, State::Unknown) {
            State::Live(live) => {
                self.state = State::Live(live);
                self.leave(everywhere);
                self.ctx.await_revoke(waiter);
            }
            State::Restoring(mut restoring) => {
                let before = restoring.leaving.is_some_and(|leaving| leaving.everywhere);
                restoring.leaving = Some(Leaving { everywhere: everywhere || before });
                self.ctx.wait(waiter, Want::SignOut { revoke: None });
                self.state = State::Restoring(restoring);
            }
            // The session that there may be now is somebody else's.
            State::Ended(ended) if ended.reason == EndReason::SubjectChanged => {
                self.state = State::Ended(ended);
                self.ctx.settle(waiter, Outcome::Done);
            }
            State::Ended(ended) if ended.record.as_ref().is_some_and(|r| r.ended().is_some()) => {
                self.state = State::Ended(ended);
                self.ctx.await_revoke(waiter);
            }
            state => {
                let before = match state {
                    State::Ended(ended) => Some(*ended),
                    _ => None,
                };
                let leaving = Some(Leaving { everywhere });
                self.ctx.wait(waiter, Want::SignOut { revoke: None });
                self.state = State::Restoring(Restoring::begin(leaving, before, &mut self.ctx));
            }
        }
    }

    /// Signs out what was found.
    pub(super) fn leave(&mut self, everywhere: bool) {
        let scope = Scope::Server { everywhere };
        self.follow(ControlFlow::Break(Ending::local(EndReason::SignedOut, scope)));
    }

    pub(super) fn dispose(&mut self) {
        if let State::Live(live) = mem::replace(&mut self.state, State::Disposed) {
            live.refresh_state.abandon(&mut self.ctx);
        }
        self.ctx.forget_revokes();
        self.ctx.settle_where(&|_| Some(Outcome::Failed(Error::Disposed)));
    }

    /// After `dispose`: nobody is left waiting.
    pub(super) fn refuse(&mut self, input: &Input) {
        let waiter = match *input {
            Input::Restore { waiter }
            | Input::SignOut { waiter, .. }
            | Input::TokenWanted { waiter, .. }
            | Input::RefreshWanted { waiter } => waiter,
            Input::Unauthorized { waiter: Some(waiter), .. } => {
                return self.ctx.settle(waiter, Outcome::Original);
            }
            Input::LockGranted(ticket) => return self.ctx.push(Effect::ReleaseLock(ticket)),
            _ => return,
        };
        self.ctx.settle(waiter, Outcome::Failed(Error::Disposed));
    }
}

impl Live {
    /// Whether these very tokens are in use.
    fn holds(&self, grant: &Grant) -> bool {
        self.current.as_ref().is_some_and(|current| {
            current.tokens.access == grant.access_token
                && (grant.refresh_token.is_none() || current.tokens.refresh == grant.refresh_token)
        })
    }

    /// Storage holds a sign-in that claims to be later than this one, which was made just now:
    /// the wall clock was set back in between. Moves this one past it.
    pub(super) fn outlast<E: Entropy>(
        &mut self,
        write: WriteId,
        stored: &Record,
        ctx: &mut Context<E>,
    ) -> bool {
        if self.opening != Some(write) {
            return false;
        }
        self.opening = None;
        let outlasts = stored.replaces(&self.record);
        if outlasts {
            self.record.follow(stored);
            self.opening = Some(self.share(Sharing::WithTokens, ctx));
        }
        outlasts
    }
}

/// The user whom the grant names.
fn owner(grant: &Grant) -> Option<String> {
    grant.subject().map(str::to_owned)
}
