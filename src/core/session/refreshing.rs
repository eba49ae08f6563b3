//! The refresh, stage by stage: lock, look, key, send, seal.

use core::{mem, ops::ControlFlow};

use super::{
    context::Context,
    ending::{Ending, STORAGE_WAIT, Scope},
    flight::{
        Asking, Backing, Checking, Errand, Flight, Keying, Lock, Pause, Queued, Sealing, Sending,
        Verifying,
    },
    live::{Announce, Flow, Live},
    waiting::Want,
};
use crate::core::{
    clock::{Millis, Moment},
    effect::{Attempt, Effect, Outcome, ReadId, RefreshRequest, Ticket, WriteId},
    entropy::{self, Entropy},
    error::Error,
    event::{Event, FailureReason},
    grant::Grant,
    input::Answer,
    peers::Message,
    policy::Credential,
    reason::{EndReason, RefreshReason},
    record::{Hold, Pending},
    retry,
    verdict::Verdict,
};

/// The lock is waited for longer than its holder may take for one attempt.
const LOCK_SLACK: Millis = 5_000;

/// Another tab's attempt is given this much longer than it may take.
const LEASE_SLACK: Millis = 500;

/// How long another tab may take to hand its tokens over.
pub(super) const PEER_WAIT: Millis = 500;

/// So often the other tabs are asked, and the server may say that one of them was faster.
const ASKS: u32 = 3;

impl Live {
    /// Begins a refresh if it may be begun; else settles those who wait for this one.
    pub(super) fn begin<E: Entropy>(&mut self, mut errand: Errand, ctx: &mut Context<E>) {
        let now = ctx.now();
        errand.hurried |= ctx.waking || errand.reason == RefreshReason::Explicit;
        if !self.awake(ctx) || !self.renewable(ctx.policy.credential) {
            ctx.settle_attempt(Error::UNAVAILABLE);
            return;
        }
        if !ctx.online {
            self.pause(errand, now, Pause::Own, Error::UNAVAILABLE, ctx);
            return;
        }
        let wall = ctx.clock.wall_at(now);
        if let Some((until, why)) = self.held_back(&errand, ctx) {
            self.pause(errand, until, why, Error::UNAVAILABLE, ctx);
            return;
        }
        if errand.reason != RefreshReason::Explicit
            && let Some(until) = retry::breaker(&self.record.sends, wall)
        {
            ctx.emit(Event::RefreshFailed {
                error: Error::UNAVAILABLE,
                reason: FailureReason::Breaker,
                retry_at: Some(until),
            });
            self.pause(errand, ctx.clock.at_wall(until), Pause::Breaker, Error::UNAVAILABLE, ctx);
            return;
        }
        ctx.stats.refreshes.count(errand.reason);
        ctx.stats.locks.requested += 1;
        let ticket = ctx.id();
        ctx.push(Effect::AcquireLock(ticket));
        let until = now + ctx.policy.timeout + LOCK_SLACK;
        self.flight = Flight::Queued(Queued { errand, ticket, until });
    }

    /// What all tabs hold back for: the server's word absolutely, our own backoff unless the errand
    /// is in a hurry.
    fn held_back<E: Entropy>(&self, errand: &Errand, ctx: &Context<E>) -> Option<(Moment, Pause)> {
        let hold = self.record.held_back(ctx.clock.wall_at(ctx.now()))?;
        let until = ctx.clock.at_wall(hold.until);
        match (hold.by_server, errand.hurried) {
            (true, _) => Some((until, Pause::Server)),
            (false, false) => Some((until, Pause::Own)),
            (false, true) => None,
        }
    }

    /// Until when another tab's attempt may be under way: a lease in the shared record, for where
    /// there is no lock to be had. It is longer than any attempt.
    fn peer_attempt<E: Entropy>(&self, ctx: &Context<E>) -> Option<Moment> {
        let sent = *self.record.sends.last().filter(|sent| **sent != self.last_send)?;
        self.record.pending_key()?;
        let until = ctx.clock.at_wall(sent).min(ctx.now()) + ctx.policy.timeout + LEASE_SLACK;
        Some(until).filter(|until| *until > ctx.now())
    }

    pub(super) fn lock_granted<E: Entropy>(&mut self, ticket: Ticket, ctx: &mut Context<E>) {
        match mem::take(&mut self.flight) {
            Flight::Queued(queued) if queued.ticket == ticket => {
                ctx.stats.locks.granted += 1;
                self.check(queued.errand, Lock(Some(ticket)), ctx);
            }
            other => {
                self.flight = other;
                ctx.push(Effect::ReleaseLock(ticket));
            }
        }
    }

    pub(super) fn lock_unavailable<E: Entropy>(&mut self, ticket: Ticket, ctx: &mut Context<E>) {
        match mem::take(&mut self.flight) {
            Flight::Queued(queued) if queued.ticket == ticket => {
                self.check(queued.errand, Lock(None), ctx);
            }
            other => self.flight = other,
        }
    }

    fn check<E: Entropy>(&mut self, errand: Errand, lock: Lock, ctx: &mut Context<E>) {
        let until = ctx.now() + STORAGE_WAIT;
        self.flight = Flight::Checking(Checking { errand, lock, read: ctx.read(), until });
    }

    /// The shared record was read for the refresh and has been absorbed.
    pub(super) fn record_read<E: Entropy>(&mut self, read: ReadId, ctx: &mut Context<E>) -> Flow {
        match mem::take(&mut self.flight) {
            Flight::Checking(checking) if checking.read == read => {
                self.checked(checking, ctx);
                ControlFlow::Continue(())
            }
            Flight::Verifying(verifying) if verifying.read == read => self.verified(verifying, ctx),
            other => {
                self.flight = other;
                ControlFlow::Continue(())
            }
        }
    }

    fn checked<E: Entropy>(&mut self, checking: Checking, ctx: &mut Context<E>) {
        let Checking { errand, lock, .. } = checking;
        // Only a refresh token can be outdated; a cookie or an access token is what it is.
        let outdated = self.behind() > 0
            && match ctx.policy.credential {
                Credential::RefreshToken | Credential::Function => true,
                Credential::Cookie | Credential::AccessToken => errand.asked == 0,
            };
        if !outdated {
            if let Some((until, why)) = self.held_back(&errand, ctx) {
                lock.release(ctx);
                self.pause(errand, until, why, Error::UNAVAILABLE, ctx);
            } else if let (Lock(None), Some(until)) = (&lock, self.peer_attempt(ctx)) {
                self.flight = Flight::Backing(Backing { errand, until, why: Pause::Peer });
            } else {
                self.make_key(errand, lock, ctx);
            }
            return;
        }
        match self.record.term.rotated_by.clone() {
            // Repeating the rotation that brought the tokens brings them once more.
            Some(key) if self.behind() == 1 && errand.asked > 0 && errand.superseded == 0 => {
                self.send(errand, lock, self.record.term.generation - 1, key, ctx);
            }
            _ => {
                lock.release(ctx);
                ctx.push(Effect::Broadcast(Message::Ask.encode()));
                let until = ctx.now() + PEER_WAIT;
                self.flight = Flight::Asking(Asking { errand, until });
            }
        }
    }

    fn make_key<E: Entropy>(&mut self, errand: Errand, lock: Lock, ctx: &mut Context<E>) {
        let wall = ctx.clock.wall_at(ctx.now());
        if self.record.pending_key().is_none() {
            self.record.pending = Some(Pending {
                generation: self.record.term.generation,
                made_at: wall,
                key: entropy::key(&mut ctx.entropy),
            });
        }
        self.record.remember_send(wall);
        self.last_send = wall;
        let write = ctx.write(&self.record);
        self.announce(Announce::News, ctx);
        let until = ctx.now() + STORAGE_WAIT;
        self.flight = Flight::Keying(Keying { errand, lock, write, until });
    }

    /// What was written for the refresh is stored, or cannot be; it has been absorbed.
    pub(super) fn record_written<E: Entropy>(&mut self, write: WriteId, ctx: &mut Context<E>) {
        match mem::take(&mut self.flight) {
            Flight::Keying(keying) if keying.write == write => self.keyed(keying, ctx),
            Flight::Sealing(sealing) if sealing.write == write => self.sealed(sealing, ctx),
            other => self.flight = other,
        }
    }

    fn keyed<E: Entropy>(&mut self, keying: Keying, ctx: &mut Context<E>) {
        let Keying { errand, lock, .. } = keying;
        match self.record.pending_key().map(str::to_owned) {
            Some(key) => self.send(errand, lock, self.record.term.generation, key, ctx),
            // The record moved on while it was written: look again.
            None => self.check(errand, lock, ctx),
        }
    }

    fn send<E: Entropy>(
        &mut self,
        errand: Errand,
        lock: Lock,
        generation: u64,
        key: String,
        ctx: &mut Context<E>,
    ) {
        let attempt = ctx.id();
        let tokens = self.held.as_ref().map(|held| &held.tokens);
        let request = RefreshRequest {
            access_token: tokens.map(|tokens| tokens.access.clone()),
            refresh_token: tokens.and_then(|tokens| tokens.refresh.clone()),
            rotation_key: key.clone(),
            reason: errand.reason,
            last_activity_at: ctx.clock.wall_at(self.activity.last()),
        };
        ctx.push(Effect::SendRefresh { attempt, request });
        let sent = ctx.now();
        let until = sent + ctx.policy.timeout;
        self.flight =
            Flight::Sending(Sending { errand, lock, attempt, generation, key, sent, until });
    }

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

    fn commit<E: Entropy>(&mut self, sending: Sending, grant: Grant, ctx: &mut Context<E>) -> Flow {
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
        term.rotated_by = Some(key);
        self.record.term = self.record.term.clone().max(term);
        ctx.stats.outcomes.committed += 1;
        if self.held.is_none() {
            ctx.emit(Event::Started);
        }
        self.adopt(Some(errand.reason), ctx);
        let write = ctx.write(&self.record);
        let until = ctx.now() + STORAGE_WAIT;
        self.flight = Flight::Sealing(Sealing { lock, write, until });
        ControlFlow::Continue(())
    }

    /// Persisted, so announce, then release.
    fn sealed<E: Entropy>(&self, sealing: Sealing, ctx: &mut Context<E>) {
        self.announce(Announce::Tokens, ctx);
        sealing.lock.release(ctx);
    }

    fn verify<E: Entropy>(
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

    fn verified<E: Entropy>(&mut self, verifying: Verifying, ctx: &mut Context<E>) -> Flow {
        let Verifying { mut errand, lock, generation, verdict, .. } = verifying;
        if self.record.term.generation > generation && self.held.is_some() {
            // Somebody was faster, and only the tokens are missing here.
            errand.superseded += 1;
            self.failed(errand, lock, Error::UNAVAILABLE, None, ctx);
            return ControlFlow::Continue(());
        }
        let (error, reason) = match verdict {
            Some(verdict) => verdict,
            None if errand.superseded + 1 < ASKS => {
                errand.superseded += 1;
                self.failed(errand, lock, Error::UNAVAILABLE, None, ctx);
                return ControlFlow::Continue(());
            }
            None => (Error::SIGNED_OUT_BY_SERVER, EndReason::Revoked),
        };
        lock.release(ctx);
        ctx.stats.outcomes.r#final += 1;
        ControlFlow::Break(match self.held {
            Some(_) => Ending { reason, fence: generation, scope: Scope::Tabs, error: Some(error) },
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
        let by_server = retry_after.is_some();
        let wait = retry_after.unwrap_or_else(|| retry::backoff(errand.failures, &mut ctx.entropy));
        let until = now + wait;
        let why = if by_server { Pause::Server } else { Pause::Own };
        let since = ctx.clock.wall_at(now);
        let hold = Hold {
            generation: self.record.term.generation,
            until: since.saturating_add(wait),
            since,
            by_server,
            failures: errand.failures,
        };
        self.record.hold = self.record.hold.take().max(Some(hold));
        self.share(Announce::News, ctx);
        self.last_error = Some(error);
        ctx.emit(Event::RefreshFailed {
            error,
            reason: FailureReason::Attempt(errand.reason),
            retry_at: Some(ctx.clock.wall_at(until)),
        });
        self.pause(errand, until, why, error, ctx);
    }

    fn pause<E: Entropy>(
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

    /// Another tab's tokens were taken into use: this tab's own refresh is done with.
    pub(super) fn adopted<E: Entropy>(&mut self, ctx: &mut Context<E>) {
        if !matches!(self.flight, Flight::Resting) {
            ctx.stats.outcomes.adopted += 1;
            mem::take(&mut self.flight).abandon(ctx);
        }
    }

    /// Something that was waited for did not come in time.
    pub(super) fn overdue<E: Entropy>(&mut self, ctx: &mut Context<E>) -> Flow {
        let now = ctx.now();
        match self.flight.deadline(ctx.online) {
            Some((_, at)) if at <= now => {}
            _ => return ControlFlow::Continue(()),
        }
        match mem::take(&mut self.flight) {
            Flight::Resting => {}
            Flight::Queued(queued) => {
                ctx.stats.locks.timed_out += 1;
                ctx.push(Effect::ReleaseLock(queued.ticket));
                self.check(queued.errand, Lock(None), ctx);
            }
            Flight::Checking(checking) => {
                ctx.storage_failed();
                self.checked(checking, ctx);
            }
            Flight::Asking(Asking { mut errand, .. }) => {
                errand.asked += 1;
                if errand.asked >= ASKS {
                    // Only a tab that does not answer has the tokens, and it may still be good.
                    return ControlFlow::Break(Ending::local(EndReason::LoginRequired, Scope::Tab));
                }
                self.begin(errand, ctx);
            }
            Flight::Keying(keying) => {
                ctx.storage_failed();
                self.keyed(keying, ctx);
            }
            Flight::Sending(sending) => {
                ctx.push(Effect::AbortRefresh(sending.attempt));
                self.failed(sending.errand, sending.lock, Error::TIMEOUT, None, ctx);
            }
            Flight::Sealing(sealing) => {
                ctx.storage_failed();
                self.sealed(sealing, ctx);
            }
            Flight::Verifying(verifying) => {
                ctx.storage_failed();
                return self.verified(verifying, ctx);
            }
            Flight::Backing(backing) => self.begin(backing.errand, ctx),
        }
        ControlFlow::Continue(())
    }

    /// A wake-up, or word that the network is back, cuts our own backoff short.
    pub(super) fn hurry<E: Entropy>(&mut self, ctx: &mut Context<E>) {
        if let Flight::Backing(Backing { errand, why: Pause::Own, .. }) = self.flight {
            self.begin(errand, ctx);
        }
    }

    /// The page is about to stop: lets go of what other tabs may wait for. The request itself
    /// goes on; its rotation key is on record.
    pub(super) fn leave<E: Entropy>(&mut self, ctx: &mut Context<E>) {
        match &mut self.flight {
            Flight::Queued(queued) => {
                ctx.push(Effect::ReleaseLock(queued.ticket));
                self.flight = Flight::Resting;
            }
            Flight::Checking(Checking { lock, .. })
            | Flight::Keying(Keying { lock, .. })
            | Flight::Sending(Sending { lock, .. })
            | Flight::Sealing(Sealing { lock, .. })
            | Flight::Verifying(Verifying { lock, .. }) => {
                mem::replace(lock, Lock(None)).release(ctx);
            }
            Flight::Resting | Flight::Asking(_) | Flight::Backing(_) => {}
        }
    }

    /// Begins what is due: a scheduled refresh, or one that a waiter needs.
    pub(super) fn begin_due<E: Entropy>(&mut self, ctx: &mut Context<E>) {
        if self.gate.is_some() || !matches!(self.flight, Flight::Resting) {
            return;
        }
        let due = self.refresh_at.is_some_and(|at| at <= ctx.now());
        let needs = self.held.is_none() && ctx.policy.credential == Credential::Cookie;
        let demanded = ctx.waiters.iter().any(|waiter| matches!(waiter.want, Want::Token { .. }))
            && self.held.as_ref().is_none_or(|held| held.usable <= ctx.now());
        let explicit = ctx.waiters.iter().any(|waiter| waiter.want == Want::Refresh);
        let restoring = ctx.waiters.iter().any(|waiter| waiter.want == Want::Restore);
        let reason = match (needs || restoring && due, due, demanded) {
            _ if explicit => RefreshReason::Explicit,
            (true, ..) => RefreshReason::Restore,
            (_, true, _) if ctx.waking => RefreshReason::Wake,
            (_, true, _) => RefreshReason::Scheduled,
            (.., true) => RefreshReason::Demanded,
            _ => return,
        };
        if self.awake(ctx) && self.renewable(ctx.policy.credential) {
            // A page load has already asked the other tabs for a session that it found.
            let asked = u32::from(needs && self.record.term.generation > 0);
            self.begin(Errand { asked, ..Errand::new(reason) }, ctx);
        }
    }

    /// Settles whoever can be given a token now.
    pub(super) fn serve<E: Entropy>(&self, ctx: &mut Context<E>) {
        if self.gate.is_some() {
            return;
        }
        let confirmed = self.held.is_some() && !self.expired(ctx);
        let Some(lease) = self.lease(ctx) else {
            return;
        };
        let now = ctx.now();
        let left = self.held.as_ref().map_or(0, |held| held.expires - now);
        ctx.settle_where(|waiter| {
            let serves = match waiter.want {
                Want::Token { min_validity, lease: old } => left >= min_validity || lease.id > old,
                Want::Newer { lease: old } => lease.id > old,
                Want::Restore => return confirmed.then_some(Outcome::Done),
                Want::Refresh => false,
            };
            serves.then(|| Outcome::Token(lease.clone()))
        });
    }
}
