//! The session machine: inputs in, effects out, a deadline between.

mod activity;
#[cfg(not(target_arch = "wasm32"))]
mod canonical;
mod context;
mod end_decision;
mod ending;
mod lifecycle;
mod live;
mod merge;
mod refresh_state;
mod refreshing;
mod requests;
mod response;
mod restoring;
mod revocations;
mod revoking;
mod server_time;
mod settling;
mod user_input;
mod view;
mod waiters;

use core::{mem, ops::ControlFlow};

use self::{
    context::Context,
    ending::{Ended, Flow},
    live::Live,
    restoring::{Leaving, Restoring, Search},
};
use super::{
    clock::{Millis, Moment, Now},
    effect::Effect,
    entropy::Entropy,
    ids::{ReadId, WriteId},
    input::{Input, ReadResult, Wake, WriteResult},
    peers::{self, Message},
    policy::Policy,
    reason::EndReason,
    stats::Stats,
};

/// What could not be written is written again after this.
const REWRITE: Millis = 30_000;

/// One session as one tab sees it. See the [crate documentation](crate) for the calling contract.
#[derive(Clone, Debug)]
pub struct Session<E> {
    ctx: Context<E>,
    state: State,
}

/// One struct per state; a transition consumes the one and makes the other.
#[derive(Clone, Debug, Hash)]
enum State {
    /// Before `start` or `restore`.
    Unknown,
    Restoring(Box<Restoring>),
    Live(Box<Live>),
    Ended(Box<Ended>),
    Disposed,
}

impl<E: Entropy> Session<E> {
    /// A session in status `unknown`: nothing happens before the first input.
    pub fn new(policy: Policy, entropy: E, now: Now) -> Self {
        Self { ctx: Context::new(policy, entropy, now), state: State::Unknown }
    }

    /// Takes one input in. `poll` must have been drained before.
    pub fn handle(&mut self, input: Input, now: Now) {
        debug_assert!(self.ctx.is_drained(), "poll() until None before the next input");
        self.ctx.clock.observe(now);
        self.ctx.waking = matches!(input, Input::Woken(_) | Input::Online(true))
            || matches!(input, Input::Activity | Input::Touch);
        // A page that is about to stop begins nothing: what is due is done when it comes back.
        let stays = !matches!(input, Input::Leaving);
        // Ends are decided first: no input revives a session past its end.
        self.decide_end();
        self.dispatch(input);
        if stays {
            self.progress();
        }
        self.publish_lease();
        self.ctx.seal();
    }

    /// The next thing to do, in order, until there is none.
    pub fn poll(&mut self) -> Option<Effect> {
        self.ctx.poll()
    }

    /// The counters.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        &self.ctx.stats
    }

    /// Newer options win; what is already scheduled stays scheduled.
    pub fn set_policy(&mut self, policy: Policy) {
        self.ctx.policy = policy;
    }

    fn dispatch(&mut self, input: Input) {
        match input {
            _ if matches!(self.state, State::Disposed) => self.refuse(&input),
            Input::Start { grant, start } => self.start(grant, start),
            Input::StartFailed(error) => self.start_failed(error),
            Input::Restore { waiter } => self.restore(waiter),
            Input::Cancel(start) => self.cancel(start),
            Input::SignOut { waiter, everywhere } => self.sign_out(waiter, everywhere),
            Input::TokenWanted { waiter, min_validity } => self.token_wanted(waiter, min_validity),
            Input::Unauthorized { waiter, lease } => self.unauthorized(waiter, lease),
            Input::RefreshWanted { waiter } => self.refresh_wanted(waiter),
            Input::Abandon(waiter) => self.ctx.waiters.remove(waiter),
            Input::RefreshAnswered { attempt, answer } => match self.live() {
                Some((live, ctx)) => {
                    let flow = live.answered(attempt, answer, ctx);
                    self.follow(flow);
                }
                None => self.ctx.stats.outcomes.discarded += 1,
            },
            Input::LockGranted(ticket) => match self.live() {
                Some((live, ctx)) => live.lock_granted(ticket, ctx),
                None => self.ctx.push(Effect::ReleaseLock(ticket)),
            },
            Input::LockUnavailable(ticket) => {
                if let Some((live, ctx)) = self.live() {
                    live.lock_unavailable(ticket, ctx);
                }
            }
            Input::RecordRead { read, found } => self.record_read(read, found),
            Input::RecordWritten { write, written } => self.record_written(write, written),
            Input::RecordChanged(ReadResult::Record(record)) => {
                self.heard(Message::Record(record));
            }
            Input::RecordChanged(found) => self.on_live(|live, ctx| live.found(found, ctx)),
            Input::PeerMessage(message) => {
                self.heard(message.clone());
                self.keep(message);
            }
            Input::Activity => {
                if self.input_counts() {
                    self.input(false);
                }
            }
            Input::Touch => self.input(true),
            Input::Hold(begins) => {
                self.hold(begins);
            }
            Input::Woken(wake) => self.woken(wake),
            Input::Leaving => {
                if let Some((live, ctx)) = self.live() {
                    live.serve(ctx);
                    live.leave(ctx);
                }
            }
            Input::Online(online) => self.online(online),
            Input::TimerFired => {}
            Input::HeaderToken { grant, lease } => self.header_token(grant, lease),
            Input::RevokeAnswered { revoke, revoked } => self.ctx.revoke_answered(revoke, revoked),
            Input::Dispose => self.dispose(),
        }
    }

    /// Does what is due, whatever the input was.
    fn progress(&mut self) {
        self.decide_end();
        self.on_restoring(Restoring::overdue);
        self.ctx.retry_revokes(false);
        self.rewrite(false);
        self.on_live(|live, ctx| {
            live.reread_overdue(ctx)?;
            live.overdue(ctx)?;
            live.serve(ctx);
            live.begin_due(ctx);
            live.observe(ctx);
            ControlFlow::Continue(())
        });
        self.ctx.settle_overdue();
    }

    const fn live(&mut self) -> Option<(&mut Live, &mut Context<E>)> {
        match &mut self.state {
            State::Live(live) => Some((live, &mut self.ctx)),
            _ => None,
        }
    }

    fn on_live(&mut self, act: impl FnOnce(&mut Live, &mut Context<E>) -> Flow) {
        if let Some((live, ctx)) = self.live() {
            let flow = act(live, ctx);
            self.follow(flow);
        }
    }

    fn follow(&mut self, flow: Flow) {
        let ControlFlow::Break(ending) = flow else { return };
        if let State::Live(live) = mem::replace(&mut self.state, State::Unknown) {
            self.state = State::Ended(Box::new(live.end_as(ending, &mut self.ctx)));
        }
    }

    fn decide_end(&mut self) {
        if let Some((live, ctx)) = self.live() {
            live.decide_end(ctx);
        }
    }

    fn on_restoring(&mut self, act: impl FnOnce(Box<Restoring>, &mut Context<E>) -> Search) {
        match mem::replace(&mut self.state, State::Unknown) {
            State::Restoring(restoring) => {
                let leaving = restoring.leaving;
                let search = act(restoring, &mut self.ctx);
                self.conclude(search, leaving);
            }
            state => self.state = state,
        }
    }

    fn conclude(&mut self, search: Search, leaving: Option<Leaving>) {
        match (search, leaving) {
            (Search::On(restoring), _) => self.state = State::Restoring(restoring),
            (Search::NotFound(ended), _) => {
                self.state = State::Ended(ended);
                self.ctx.await_revokes();
                self.ctx.settle_ended(None);
            }
            (Search::Found(live), Some(Leaving { everywhere })) => {
                self.state = State::Live(live);
                self.leave(everywhere);
            }
            (Search::Found(live), None) => {
                if live.current.is_some() {
                    self.ctx.forget_cookie_revokes();
                }
                self.state = State::Live(live);
                self.decide_end();
            }
        }
    }

    fn record_read(&mut self, read: ReadId, found: ReadResult) {
        match (&self.state, found) {
            (State::Restoring(_), found) => {
                self.on_restoring(|restoring, ctx| restoring.record_read(read, found, ctx));
            }
            (State::Ended(_), ReadResult::Record(record)) => self.heard(Message::Record(record)),
            (_, found) => self.on_live(|live, ctx| {
                live.found(found, ctx)?;
                live.reread_answered(read, ctx)?;
                live.record_read(read, ctx)
            }),
        }
    }

    fn record_written(&mut self, write: WriteId, written: WriteResult) {
        match written {
            WriteResult::Stored(record) => {
                self.ctx.storage_works();
                self.ctx.rewrite_at = Moment::NEVER;
                if let Some((live, ctx)) = self.live()
                    && live.outlast(write, &record, ctx)
                {
                    return;
                }
                self.heard(Message::Record(record));
            }
            WriteResult::Failed => {
                self.ctx.storage_failed();
                self.ctx.rewrite_at = self.ctx.now() + REWRITE;
            }
        }
        if let Some((live, ctx)) = self.live() {
            live.record_written(write, ctx);
        }
    }

    fn heard(&mut self, message: Message) {
        match mem::replace(&mut self.state, State::Unknown) {
            State::Ended(ended) => self.state = self.succeed(ended, message),
            State::Restoring(restoring) => {
                self.state = State::Restoring(restoring);
                self.on_restoring(|restoring, ctx| restoring.heard(message, ctx));
            }
            state => {
                self.state = state;
                self.on_live(|live, ctx| live.heard_message(message, ctx));
            }
        }
    }

    /// Stores what was heard: whoever said it may store elsewhere, or nowhere.
    fn keep(&mut self, told: Message) {
        let Message::Record(record) = told else { return };
        let keeps = match &self.state {
            State::Live(_) => true,
            State::Ended(ended) => {
                // Of an earlier sign-in: storage shows the later one, and would tell of it again.
                let is_old = ended.record.as_ref().is_some_and(|known| known.replaces(&record));
                !is_old && (record.ended().is_some() || ended.reason != EndReason::Cancelled)
            }
            _ => false,
        };
        if keeps {
            self.ctx.write(&record);
        }
    }

    /// Somebody signed in in another tab, or another tab still got a token that the end did not
    /// cover.
    fn succeed(&mut self, ended: Box<Ended>, message: Message) -> State {
        let Message::Record(theirs) = message else {
            // A page load that can read no storage may have a cookie that the server still honours.
            let untold = self.ctx.revocations.0.last().map(|it| it.record.clone());
            if let Some(record) = untold {
                self.ctx.tell(&record, false);
            }
            return State::Ended(ended);
        };
        let tells_an_end = theirs.ended().is_some();
        let mut joined = *theirs;
        if let Some(ours) = &ended.record {
            joined.join(ours.clone());
        }
        let ours = ended.record.as_ref().and_then(|record| record.token_set.subject.as_deref());
        // The page may still show the user that was: only `restore` changes it to another one.
        let somebody_else = ours.is_some() && ours != joined.token_set.subject.as_deref();
        if joined.ended().is_some() || !ended.follows() || somebody_else {
            let record = Some(joined).filter(|_| ended.record.is_some() && !somebody_else);
            return State::Ended(Box::new(Ended { record: record.or(ended.record), ..*ended }));
        }
        if joined.token_set.tokens.is_none() {
            // No tab has the tokens of a page load that found none, and one that tells of an end has
            // none either: it would tell again if it was asked.
            if !joined.is_guess() && !tells_an_end {
                self.ctx.push(Effect::Broadcast(peers::ask()));
            }
            return State::Ended(ended);
        }
        let mut live = Live::new(joined, &self.ctx);
        live.adopt(None, &mut self.ctx);
        self.ctx.forget_cookie_revokes();
        State::Live(Box::new(live))
    }

    /// Writes again what could not be written, when it is time or the page woke.
    fn rewrite(&mut self, wake: bool) {
        let at = self.ctx.rewrite_at;
        if at > self.ctx.now() && !(wake && at < Moment::NEVER) {
            return;
        }
        self.ctx.rewrite_at = Moment::NEVER;
        match &self.state {
            State::Live(live) => {
                self.ctx.write(&live.record);
            }
            State::Ended(ended) => {
                // A sign-out that was not stored would be undone by the next page.
                if let Some(record) = ended.record.as_ref().filter(|it| it.ended().is_some()) {
                    self.ctx.write(record);
                }
            }
            _ => {}
        }
    }

    fn woken(&mut self, wake: Wake) {
        self.rewrite(true);
        self.ctx.retry_revokes(true);
        let counts = wake == Wake::Visible && self.input_counts();
        if let Some((live, ctx)) = self.live() {
            live.reread(counts, ctx);
            live.hurry(ctx);
        }
        if let State::Ended(ended) = &self.state
            && ended.follows()
        {
            self.ctx.read();
        }
    }

    fn online(&mut self, online: bool) {
        self.ctx.online = online;
        if online {
            self.ctx.retry_revokes(true);
            if let Some((live, ctx)) = self.live() {
                live.hurry(ctx);
            }
        }
    }

    fn hold(&mut self, begins: bool) {
        let count = |holds: u32| if begins { holds + 1 } else { holds.saturating_sub(1) };
        if let State::Live(live) = &mut self.state
            && live.due_end(&self.ctx).is_some()
            && let Some(pending_reread) = &mut live.pending_reread
        {
            // It counts once it is known whether the session is over, and does not keep it alive.
            pending_reread.holds = Some(count(pending_reread.holds.unwrap_or(self.ctx.holds)));
            return;
        }
        self.ctx.holds = count(self.ctx.holds);
        self.input(true);
    }

    /// Whether input extends the session; near its end it may take a button.
    fn input_counts(&self) -> bool {
        let State::Live(live) = &self.state else { return true };
        let near = || live.approaching(&self.ctx);
        !self.ctx.policy.extend_by_touch || near().is_none_or(|(_, why)| why != EndReason::Idle)
    }

    fn input(&mut self, at_once: bool) {
        // While it is being found out whether the session is over, input does not count.
        if let Some((live, ctx)) = self.live()
            && (live.pending_reread.is_none() || live.due_end(ctx).is_none())
        {
            live.input(at_once, ctx);
        }
    }
}
