//! What other tabs and storage know, taken in.

use core::ops::ControlFlow;

use super::{
    context::Context,
    ending::{Ending, Flow, Scope},
    live::{Live, Sharing},
};
use crate::core::{
    effect::Effect,
    entropy::Entropy,
    input::ReadResult,
    peers::{self, Message},
    reason::EndReason,
    record::{Generation, Record},
};

/// The generation of tokens that a newer sign-in of the same user has left behind.
const OF_ANOTHER_SIGN_IN: Generation = -1;

impl Live {
    /// Takes in what lies in storage. Absence says nothing: storage was cleared, and is filled again.
    pub(super) fn found<E: Entropy>(&mut self, found: ReadResult, ctx: &mut Context<E>) -> Flow {
        match found {
            ReadResult::Record(record) => {
                ctx.storage_works();
                self.absorb(*record, ctx)
            }
            ReadResult::Nothing | ReadResult::Corrupt => {
                if self.current.is_some() {
                    ctx.write(&self.record);
                }
                ControlFlow::Continue(())
            }
            ReadResult::Unavailable => {
                ctx.storage_failed();
                ControlFlow::Continue(())
            }
        }
    }

    pub(super) fn heard_message<E: Entropy>(
        &mut self,
        message: Message,
        ctx: &mut Context<E>,
    ) -> Flow {
        match message {
            Message::Record(record) => self.absorb(*record, ctx),
            Message::TokensWanted => {
                if self.current.is_some() && self.behind() == 0 {
                    self.announce(Sharing::WithTokens, ctx);
                }
                ControlFlow::Continue(())
            }
        }
    }

    pub(super) fn absorb<E: Entropy>(&mut self, theirs: Record, ctx: &mut Context<E>) -> Flow {
        if theirs.is_session_of(&self.record) {
            let activity = theirs.last_activity;
            let key = self.record.unanswered_key(&theirs);
            let told = theirs.pending.key;
            let spent = theirs.token_set.generation < self.record.token_set.generation
                && theirs.unanswered_key(&self.record).is_some();
            self.record.join(theirs);
            if let Some(reason) = self.record.ended() {
                return ControlFlow::Break(Ending::local(reason, Scope::Tab));
            }
            if spent {
                // It is about to show a token again: the news of the newer ones did not get there.
                self.share(Sharing::WithTokens, ctx);
            } else if told != self.record.pending.key {
                // Whoever says it may have stored over what this tab knows.
                ctx.write(&self.record);
            }
            self.heard(activity, ctx);
            if self.behind() > 0 && self.record.token_set.tokens.is_some() {
                self.adopt(None, ctx);
                self.adopted(key, ctx);
            }
            return ControlFlow::Continue(());
        }
        if !theirs.replaces(&self.record) {
            return ControlFlow::Continue(());
        }
        if self.current.is_none() && theirs.ended().is_none() {
            self.join_session(theirs, ctx);
            return ControlFlow::Continue(());
        }
        if theirs.is_guess() || self.record.is_guess() {
            // A page load found the end of this very sign-in; newer tokens may have survived it.
            let found = theirs.sid == self.record.sid
                && theirs.token_set.generation >= self.record.token_set.generation;
            // Or the cookie may be that of a session whose end the server does not know of.
            let told = !theirs.is_guess() && theirs.ended().is_some() && !theirs.end.settled;
            if found || told {
                let reason = theirs.end.reason;
                if told {
                    self.record = theirs;
                }
                return ControlFlow::Break(Ending::local(reason, Scope::Tab));
            }
            return ControlFlow::Continue(());
        }
        self.replaced_by(theirs, ctx)
    }

    /// Only a cookie is known here, and another tab already knows whose: the same session.
    fn join_session<E: Entropy>(&mut self, theirs: Record, ctx: &mut Context<E>) {
        let key = self.record.unanswered_key(&theirs);
        self.record = theirs;
        if self.record.token_set.tokens.is_some() {
            ctx.forget_cookie_revokes();
            self.adopt(None, ctx);
            self.adopted(key, ctx);
        }
    }

    /// Another sign-in took this one's place.
    fn replaced_by<E: Entropy>(&mut self, theirs: Record, ctx: &mut Context<E>) -> Flow {
        let ours = self.record.token_set.subject.as_deref();
        if ours.is_none() || ours != theirs.token_set.subject.as_deref() {
            let ending = Ending::local(EndReason::SubjectChanged, Scope::Tab);
            return ControlFlow::Break(ending);
        }
        if let Some(reason) = theirs.ended() {
            return ControlFlow::Break(Ending::local(reason, Scope::Tab));
        }
        ctx.forget_cookie_revokes();
        let activity = theirs.last_activity;
        self.record = theirs;
        self.start = None;
        if self.record.token_set.tokens.is_none() {
            // The access token in use is still good; the new ones can be had for the asking. The
            // old refresh token is nobody's any more: how often it was used cannot be known.
            if let Some(current) = &mut self.current {
                current.generation = OF_ANOTHER_SIGN_IN;
            }
            ctx.push(Effect::Broadcast(peers::ask()));
            self.heard(activity, ctx);
            return ControlFlow::Continue(());
        }
        self.heard(activity, ctx);
        self.adopt(None, ctx);
        self.adopted(None, ctx);
        ControlFlow::Continue(())
    }
}
