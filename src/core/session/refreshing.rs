//! The refresh, stage by stage: lock, look, key, send, seal.

use core::{mem, ops::ControlFlow};

use super::{
    activity::CLOCK_SLACK,
    context::Context,
    ending::{Ending, Flow, STORAGE_WAIT, Scope},
    live::{Live, Sharing},
    refresh_state::{
        AgreeingOnKey, AskingPeers, AwaitingResponse, BackingOff, ConfirmingRefusal, Lock, Pause,
        ReadingRecord, RefreshContext, RefreshState, Settled, StoringKey, StoringTokens,
        WaitingForLock,
    },
    waiters::{Waiter, Want},
};
use crate::core::{
    clock::{Millis, Moment},
    effect::{Effect, Outcome, RefreshRequest},
    entropy::{self, Entropy},
    error::Error,
    event::{Event, FailureReason},
    ids::{Attempt, ReadId, Ticket, WriteId},
    peers,
    policy::Credential,
    reason::{EndReason, RefreshReason},
    record::{Generation, Key, Pending},
    retry,
};

/// The lock is waited for longer than its holder may take for one attempt, unless its storage hangs.
const LOCK_SLACK: Millis = 5_000;

/// Another tab's attempt is given this much longer than it may take.
const LEASE_SLACK: Millis = 500;

/// Between two attempts that are made though the platform says that there is no network.
const DEMAND_FLOOR: Millis = 5_000;

/// What one tab puts on record is known to all others after this long.
const SETTLE: Millis = 250;

/// How long another tab may take to hand its tokens over.
pub(super) const PEER_WAIT: Millis = 500;

/// So often the other tabs are asked, and the server may say that one of them was faster.
pub(super) const ASKS: u32 = 3;

impl Live {
    /// Begins a refresh if it may be begun; else settles those who wait for this one.
    pub(super) fn begin<E: Entropy>(&mut self, mut refresh: RefreshContext, ctx: &mut Context<E>) {
        let now = ctx.now();
        let explicit = refresh.reason == RefreshReason::Explicit;
        refresh.hurried |= ctx.waking || explicit;
        refresh.probes = false;
        if !self.may_refresh(ctx) {
            ctx.settle_attempt(Error::Unavailable);
            return;
        }
        let needed = matches!(
            refresh.reason,
            RefreshReason::Explicit | RefreshReason::Demanded | RefreshReason::Unauthorized
        );
        if !ctx.online && !needed && !refresh.despite_offline {
            refresh.despite_offline = true;
            self.pause(refresh, now + retry::LONGEST, Pause::Own, Error::Unavailable, ctx);
            return;
        }
        let wall = ctx.clock.wall_at(now);
        if let Some((until, why)) = self.held_back(&refresh, ctx) {
            if !explicit || !self.may_probe(ctx) {
                self.pause(refresh, until, why, Error::Unavailable, ctx);
                return;
            }
            refresh.probes = true;
        }
        let most = if explicit { retry::EXPLICIT_LOOP } else { retry::LOOP };
        if let Some(until) = retry::breaker(self.record.sends, most, wall) {
            ctx.emit(Event::RefreshFailed {
                error: Error::Unavailable,
                reason: FailureReason::Breaker,
                retry_at: Some(until),
            });
            self.pause(refresh, ctx.clock.at_wall(until), Pause::Breaker, Error::Unavailable, ctx);
            return;
        }
        ctx.stats.refreshes.count(refresh.reason);
        ctx.stats.locks.requested += 1;
        let ticket = Ticket(ctx.id());
        ctx.push(Effect::AcquireLock(ticket));
        let until = now + ctx.policy.timeout + LOCK_SLACK;
        self.refresh_state =
            RefreshState::WaitingForLock(WaitingForLock { refresh, ticket, until });
    }

    /// What holds all tabs back: the server's word absolutely, our own backoff unless the refresh is
    /// in a hurry.
    fn held_back<E: Entropy>(
        &self,
        refresh: &RefreshContext,
        ctx: &Context<E>,
    ) -> Option<(Moment, Pause)> {
        let backoff = self.record.held_back(ctx.clock.wall_at(ctx.now()))?;
        let (until, why) = match refresh.hurried {
            false => (backoff.until, Pause::Own),
            true => (backoff.server_until, Pause::Server),
        };
        let until = ctx.clock.at_wall(until);
        (until > ctx.now() && !refresh.probes).then_some((until, why))
    }

    /// Whether nothing was sent for long enough that a caller who asks itself may try.
    pub(super) fn may_probe<E: Entropy>(&self, ctx: &Context<E>) -> bool {
        let wall = ctx.clock.wall_at(ctx.now());
        // An attempt that began before the sign-in is not among the sends, but its failure is known.
        let last = self.record.sends.last().unwrap_or(0).max(self.record.backoff.since);
        !(-CLOCK_SLACK..retry::PROBE).contains(&(wall - last))
    }

    /// Until when another tab's attempt may be under way: a lease in the shared record, for where
    /// there is no lock to be had. It is longer than any attempt.
    fn peer_attempt<E: Entropy>(
        &self,
        settled: Option<Settled>,
        ctx: &Context<E>,
    ) -> Option<Moment> {
        let key = self.record.pending_key()?;
        let sent = match settled {
            // This tab's key gave way to one that was made before it, and is being sent.
            Some(Settled::Made(made)) if made != key => self.record.pending.made_at,
            Some(Settled::Made(_)) if self.is_fresh(ctx) => return None,
            // Of several tabs that repeat a rotation the last on record sends.
            _ => self.record.sends.last().filter(|sent| *sent != self.last_send)?,
        };
        let now = ctx.now();
        // A time that is still to come was written before the clock was set back.
        let at = Some(ctx.clock.at_wall(sent)).filter(|at| *at <= now + CLOCK_SLACK)?;
        Some(at.min(now) + ctx.policy.timeout + LEASE_SLACK).filter(|until| *until > now)
    }

    pub(super) fn lock_granted<E: Entropy>(&mut self, ticket: Ticket, ctx: &mut Context<E>) {
        match mem::take(&mut self.refresh_state) {
            RefreshState::WaitingForLock(queued) if queued.ticket == ticket => {
                ctx.stats.locks.granted += 1;
                self.look(queued.refresh, Lock(Some(ticket)), None, ctx);
            }
            other => {
                self.refresh_state = other;
                ctx.push(Effect::ReleaseLock(ticket));
            }
        }
    }

    pub(super) fn lock_unavailable<E: Entropy>(&mut self, ticket: Ticket, ctx: &mut Context<E>) {
        match mem::take(&mut self.refresh_state) {
            RefreshState::WaitingForLock(queued) if queued.ticket == ticket => {
                self.look(queued.refresh, Lock(None), None, ctx);
            }
            other => self.refresh_state = other,
        }
    }

    pub(super) fn look<E: Entropy>(
        &mut self,
        refresh: RefreshContext,
        lock: Lock,
        settled: Option<Settled>,
        ctx: &mut Context<E>,
    ) {
        let until = ctx.now() + STORAGE_WAIT;
        self.refresh_state = RefreshState::ReadingRecord(ReadingRecord {
            refresh,
            lock,
            read: ctx.read(),
            until,
            settled,
        });
    }

    /// The shared record was read for the refresh and has been absorbed.
    pub(super) fn record_read<E: Entropy>(&mut self, read: ReadId, ctx: &mut Context<E>) -> Flow {
        match mem::take(&mut self.refresh_state) {
            RefreshState::ReadingRecord(checking) if checking.read == read => {
                self.checked(checking, ctx);
                ControlFlow::Continue(())
            }
            RefreshState::ConfirmingRefusal(verifying) if verifying.read == read => {
                self.verified(verifying, ctx)
            }
            other => {
                self.refresh_state = other;
                ControlFlow::Continue(())
            }
        }
    }

    fn checked<E: Entropy>(&mut self, checking: ReadingRecord, ctx: &mut Context<E>) {
        let ReadingRecord { refresh, lock, settled, .. } = checking;
        if !self.awake(ctx) {
            // The user left while the lock was waited for.
            lock.release(ctx);
            ctx.settle_attempt(Error::Unavailable);
            return;
        }
        // Only a refresh token can be outdated; a cookie or an access token is what it is.
        let outdated = self.behind() > 0
            && match ctx.policy.credential {
                Credential::RefreshToken => true,
                Credential::Function => refresh.asked == 0 || self.has_refresh_token(),
                Credential::Cookie | Credential::AccessToken => refresh.asked == 0,
            };
        if !outdated {
            if let Some((until, why)) = self.held_back(&refresh, ctx) {
                lock.release(ctx);
                self.pause(refresh, until, why, Error::Unavailable, ctx);
            } else {
                self.check_others(refresh, lock, settled, ctx);
            }
            return;
        }
        match self.record.token_set.rotated_by {
            // A token came without a rotation, in a header: the refresh token is still the newest.
            Key::NONE if self.behind() == 1 && refresh.asked > 0 => {
                self.make_key(refresh, lock, false, ctx)
            }
            // Repeating the rotation that brought the tokens brings them once more.
            key if self.behind() == 1
                && refresh.asked > 0
                && self.record.failures().1.superseded == 0 =>
            {
                self.note_send(ctx);
                self.share(Sharing::WithoutTokens, ctx);
                self.send(refresh, lock, self.record.token_set.generation - 1, key, ctx);
            }
            _ => {
                lock.release(ctx);
                ctx.push(Effect::Broadcast(peers::ask()));
                let until = ctx.now() + PEER_WAIT;
                self.refresh_state = RefreshState::AskingPeers(AskingPeers { refresh, until });
            }
        }
    }

    /// Without a lock the shared record decides which tab sends: the one that put its key there first. With a
    /// lock another tab's attempt is over, but its answer may still be on its way here: storage and
    /// messages of another process can be slower than its lock.
    fn check_others<E: Entropy>(
        &mut self,
        refresh: RefreshContext,
        lock: Lock,
        settled: Option<Settled>,
        ctx: &mut Context<E>,
    ) {
        let unlocked = lock == Lock(None);
        match (self.peer_attempt(settled, ctx), settled, self.record.pending_key()) {
            (Some(_), None, _) if !unlocked => {
                // What has failed since was answered.
                let answered = self.record.sends.last() <= Some(self.record.backoff.since);
                self.make_key(refresh, lock, !answered && !self.record.is_guess(), ctx);
            }
            // With a lock too: a tab that has gone on without one meanwhile is the last on record.
            (Some(until), ..) => {
                lock.release(ctx);
                self.refresh_state =
                    RefreshState::BackingOff(BackingOff { refresh, until, why: Pause::Peer });
            }
            (None, Some(settled), Some(key))
                if [Settled::Existing, Settled::Made(key)].contains(&settled)
                    && self.is_fresh(ctx) =>
            {
                self.send(refresh, lock, self.record.token_set.generation, key, ctx);
            }
            _ => self.make_key(refresh, lock, unlocked, ctx),
        }
    }

    /// Whether the others still respect what this tab has put on record: not after a long sleep.
    fn is_fresh<E: Entropy>(&self, ctx: &Context<E>) -> bool {
        ctx.now() - ctx.clock.at_wall(self.last_send) <= ctx.policy.timeout
    }

    /// Puts a key and a send on record. `waits`: what others put there is given time to come in.
    fn make_key<E: Entropy>(
        &mut self,
        refresh: RefreshContext,
        lock: Lock,
        waits: bool,
        ctx: &mut Context<E>,
    ) {
        let wall = ctx.clock.wall_at(ctx.now());
        let mut settled = Settled::Existing;
        if self.record.pending_key().is_none() {
            let key = Key::draw(&mut ctx.entropy);
            settled = Settled::Made(key);
            let generation = self.record.token_set.generation;
            self.record.pending = Pending { generation, made_at: wall, key };
        }
        let key = self.record.pending.key;
        self.note_send(ctx);
        let write = self.share(Sharing::WithoutTokens, ctx);
        let until = ctx.now() + STORAGE_WAIT;
        self.refresh_state = RefreshState::StoringKey(StoringKey {
            refresh,
            lock,
            write,
            until,
            settled,
            waits,
            key,
        });
    }

    fn note_send<E: Entropy>(&mut self, ctx: &Context<E>) {
        let wall = ctx.clock.wall_at(ctx.now());
        // Equal times count once: several sends in one millisecond are told apart.
        let last = self.record.sends.last().filter(|at| (wall..wall + CLOCK_SLACK).contains(at));
        self.last_send = last.map_or(wall, |last| last + 1);
        self.record.sends.add(self.last_send);
    }

    /// What was written for the refresh is stored, or cannot be; it has been absorbed.
    pub(super) fn record_written<E: Entropy>(&mut self, write: WriteId, ctx: &mut Context<E>) {
        match mem::take(&mut self.refresh_state) {
            RefreshState::StoringKey(keying) if keying.write == write => self.keyed(keying, ctx),
            RefreshState::StoringTokens(sealing) if sealing.write == write => {
                self.sealed(sealing, ctx)
            }
            other => self.refresh_state = other,
        }
    }

    pub(super) fn keyed<E: Entropy>(&mut self, keying: StoringKey, ctx: &mut Context<E>) {
        let StoringKey { refresh, lock, settled, waits, key, .. } = keying;
        if waits || lock == Lock(None) {
            // A page that was loaded while it was stored has not heard of it.
            self.announce(Sharing::WithoutTokens, ctx);
            let mut until = ctx.now() + SETTLE;
            if lock == Lock(None) {
                until = until + entropy::below(&mut ctx.entropy, SETTLE);
            }
            self.refresh_state =
                RefreshState::AgreeingOnKey(AgreeingOnKey { refresh, lock, settled, until });
        } else if self.record.pending_key() == Some(key) && self.held_back(&refresh, ctx).is_none()
        {
            self.send(refresh, lock, self.record.token_set.generation, key, ctx);
        } else {
            // Another tab's word came while it was written: a reason to wait, an earlier key.
            self.look(refresh, lock, None, ctx);
        }
    }

    fn send<E: Entropy>(
        &mut self,
        refresh: RefreshContext,
        lock: Lock,
        generation: Generation,
        key: Key,
        ctx: &mut Context<E>,
    ) {
        let attempt = Attempt(ctx.id());
        let tokens = self.current.as_ref().map(|current| &current.tokens);
        let request = RefreshRequest {
            access_token: tokens.map(|tokens| tokens.access.clone()).filter(|it| !it.is_empty()),
            refresh_token: tokens.and_then(|tokens| tokens.refresh.clone()),
            rotation_key: key.text(),
            reason: refresh.reason,
            last_activity_at: ctx.clock.wall_at(self.activity.last()),
        };
        ctx.push(Effect::SendRefresh { attempt, request });
        let sent = ctx.now();
        let until = sent + ctx.policy.timeout;
        self.refresh_state = RefreshState::AwaitingResponse(AwaitingResponse {
            refresh,
            lock,
            attempt,
            generation,
            key,
            sent,
            until,
        });
    }

    /// Another tab's tokens were taken into use: this tab's own refresh is done with. But a request
    /// that is given up loses the cookie of its answer, and with it the session.
    pub(super) fn adopted<E: Entropy>(&mut self, key: Option<Key>, ctx: &mut Context<E>) {
        ctx.settle_refreshes();
        let key = key.filter(|_| ctx.policy.credential == Credential::Cookie);
        if let Some(key) = key {
            // The server may have set a newer cookie, which no tab has seen.
            let generation = self.record.token_set.generation;
            let made_at = ctx.clock.wall_at(ctx.now());
            self.record.pending = Pending { generation, made_at, key };
            self.share(Sharing::WithoutTokens, ctx);
        }
        if key.is_some() && matches!(self.refresh_state, RefreshState::AwaitingResponse(_)) {
            return;
        }
        if !matches!(self.refresh_state, RefreshState::Idle) {
            ctx.stats.outcomes.adopted += 1;
            mem::take(&mut self.refresh_state).abandon(ctx);
        }
    }

    /// Something that was waited for did not come in time.
    pub(super) fn overdue<E: Entropy>(&mut self, ctx: &mut Context<E>) -> Flow {
        let now = ctx.now();
        match self.refresh_state.deadline() {
            Some((_, at)) if at <= now => {}
            _ => return ControlFlow::Continue(()),
        }
        match mem::take(&mut self.refresh_state) {
            RefreshState::Idle => {}
            RefreshState::WaitingForLock(queued) => {
                ctx.stats.locks.timed_out += 1;
                ctx.push(Effect::ReleaseLock(queued.ticket));
                self.look(queued.refresh, Lock(None), None, ctx);
            }
            RefreshState::ReadingRecord(checking) => {
                ctx.storage_failed();
                self.checked(checking, ctx);
            }
            RefreshState::AskingPeers(AskingPeers { mut refresh, .. }) => {
                refresh.asked += 1;
                if refresh.asked >= ASKS && !self.expired(ctx) {
                    refresh.asked = 0;
                    let (_, doubts) = self.record.failures();
                    self.failed(refresh, Lock(None), Error::Unavailable, None, doubts, ctx);
                    return ControlFlow::Continue(());
                }
                if refresh.asked >= ASKS {
                    // Only a tab that does not answer has the tokens, and it may still be good.
                    return ControlFlow::Break(Ending::local(EndReason::LoginRequired, Scope::Tab));
                }
                self.begin(refresh, ctx);
            }
            RefreshState::StoringKey(keying) => {
                ctx.storage_failed();
                self.keyed(keying, ctx);
            }
            RefreshState::AgreeingOnKey(AgreeingOnKey { refresh, lock, settled, .. }) => {
                self.look(refresh, lock, Some(settled), ctx);
            }
            RefreshState::AwaitingResponse(sending) => {
                ctx.push(Effect::AbortRefresh(sending.attempt));
                let (_, doubts) = self.record.failures();
                self.failed(sending.refresh, sending.lock, Error::Timeout, None, doubts, ctx);
            }
            RefreshState::StoringTokens(sealing) => {
                ctx.storage_failed();
                self.sealed(sealing, ctx);
            }
            RefreshState::ConfirmingRefusal(verifying) => {
                ctx.storage_failed();
                return self.verified(verifying, ctx);
            }
            RefreshState::BackingOff(backing) => self.begin(backing.refresh, ctx),
        }
        ControlFlow::Continue(())
    }

    /// A wake-up, or word that the network is back, cuts our own backoff short.
    pub(super) fn hurry<E: Entropy>(&mut self, ctx: &mut Context<E>) {
        if let RefreshState::BackingOff(BackingOff { refresh, why: Pause::Own, .. }) =
            self.refresh_state
        {
            self.begin(refresh, ctx);
        }
    }

    /// The page is about to stop: lets go of what other tabs may wait for. The request itself
    /// goes on; its rotation key is on record.
    pub(super) fn leave<E: Entropy>(&mut self, ctx: &mut Context<E>) {
        match &mut self.refresh_state {
            RefreshState::WaitingForLock(queued) => {
                ctx.push(Effect::ReleaseLock(queued.ticket));
                self.refresh_state = RefreshState::Idle;
                // It stays due. Where the token's end is not known, only a 401 has said that it is.
                self.refresh_at = ctx.now();
            }
            RefreshState::ReadingRecord(ReadingRecord { lock, .. })
            | RefreshState::StoringKey(StoringKey { lock, .. })
            | RefreshState::AgreeingOnKey(AgreeingOnKey { lock, .. })
            | RefreshState::AwaitingResponse(AwaitingResponse { lock, .. })
            | RefreshState::StoringTokens(StoringTokens { lock, .. })
            | RefreshState::ConfirmingRefusal(ConfirmingRefusal { lock, .. }) => {
                mem::replace(lock, Lock(None)).release(ctx);
            }
            RefreshState::Idle | RefreshState::AskingPeers(_) | RefreshState::BackingOff(_) => {}
        }
    }

    /// Whether a caller waits for a token that is not there. A server refused the tokens that are while
    /// they were still being stored, or the page stood still before it could refresh them.
    fn is_demanded<E: Entropy>(&self, ctx: &Context<E>) -> bool {
        let usable = self.current.as_ref().is_some_and(|current| current.usable > ctx.now());
        ctx.waiters.iter().any(|waiter| match waiter.want {
            Want::Token { .. } => !usable,
            Want::Newer { .. } => true,
            _ => false,
        })
    }

    /// Where the platform says that there is no network, a caller who needs a token is not made to wait
    /// for it, but for a few seconds after the last attempt.
    fn heed_demand<E: Entropy>(&mut self, ctx: &mut Context<E>) {
        if ctx.online || !self.is_demanded(ctx) {
            return;
        }
        let now = ctx.now();
        let last = self.record.sends.last().map(|at| ctx.clock.at_wall(at).min(now));
        if let RefreshState::BackingOff(BackingOff { refresh, until, why: Pause::Own }) =
            &mut self.refresh_state
        {
            *until = (*until).min(last.map_or(now, |last| last + DEMAND_FLOOR));
            refresh.reason = RefreshReason::Demanded;
            refresh.hurried = true;
            if *until <= now {
                let refresh = *refresh;
                self.refresh_state = RefreshState::Idle;
                self.begin(refresh, ctx);
            }
        }
    }

    /// Begins what is due: a scheduled refresh, or one that a waiter needs.
    pub(super) fn begin_due<E: Entropy>(&mut self, ctx: &mut Context<E>) {
        if self.pending_reread.is_some() {
            return;
        }
        self.heed_demand(ctx);
        if !matches!(self.refresh_state, RefreshState::Idle) {
            return;
        }
        let due = self.refresh_at <= ctx.now();
        let needs = self.current.is_none() && ctx.policy.credential == Credential::Cookie;
        let demanded = self.is_demanded(ctx);
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
        // A page load has already asked the other tabs for a session that it found.
        let asked = u32::from(needs && self.record.token_set.generation > 0);
        self.begin(RefreshContext { asked, ..RefreshContext::new(reason) }, ctx);
    }

    /// Settles all callers that can be given a token now.
    pub(super) fn serve<E: Entropy>(&self, ctx: &mut Context<E>) {
        if self.pending_reread.is_some() {
            return;
        }
        let Some(lease) = self.lease(ctx) else {
            return;
        };
        let now = ctx.now();
        let left = self.current.as_ref().map_or(0, |current| current.expires - now);
        let outcome = |waiter: &Waiter| {
            let serves = match waiter.want {
                Want::Token { min_validity, lease: old } => left >= min_validity || lease.id > old,
                Want::Newer { lease: old } => lease.id > old,
                Want::Restore => return Some(Outcome::Done),
                Want::Refresh | Want::SignOut { .. } => false,
            };
            serves.then(|| Outcome::Token(lease.clone()))
        };
        // A lease that is known served all callers that it can, but for one that came just now.
        let is_known = ctx.leased.as_ref().is_some_and(|known| known.id == lease.id);
        if !is_known || ctx.waiters.iter().next_back().and_then(outcome).is_some() {
            ctx.settle_where(&outcome);
        }
    }
}
