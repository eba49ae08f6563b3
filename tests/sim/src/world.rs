//! The world: one queue of things to come, taken in order of time.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use everfresh::core::{
    clock::Millis,
    effect::{Attempt, Effect, Outcome, RefreshRequest, RevokeId, Ticket},
    input::{Answer, Found, Input, LeaseId, Wake},
    record::Record,
};
use everfresh_server::rotation::SessionId;

use crate::{
    browser::{Disk, LockManager, TabId},
    dice::Dice,
    plan::{Action, Locks, Plan},
    server::{EPOCH, Server, Who},
    tab::{Running, Tab, What},
    tally::Tally,
    thief::Thief,
    watch::{Broken, Truth},
};

/// More calls of the machine than this in one world are a livelock.
const MAX_STEPS: u64 = 400_000;

/// How long everything is well at the end, so that every tab can recover.
const RECOVERY: Millis = 200_000;

/// One run of a [`Plan`].
#[derive(Debug)]
pub struct World {
    pub(crate) plan: Plan,
    pub(crate) now: Millis,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) server: Server,
    pub(crate) truth: Truth,
    pub(crate) thief: Option<Thief>,
    pub(crate) broken: Option<Broken>,
    /// What it came to.
    pub tally: Tally,
    /// What happened, line by line, if it was asked for.
    pub story: Option<Vec<String>>,
    pub(crate) disk: Disk,
    pub(crate) locks: LockManager,
    pub(crate) dice: Dice,
    queue: BinaryHeap<Reverse<(Millis, u64, usize)>>,
    coming: HashMap<usize, Event>,
    order: u64,
    /// What the wall clock of the device was set by.
    pub(crate) clock_set: Millis,
    pub(crate) offline_until: Millis,
    pub(crate) asleep_until: Millis,
    pub(crate) well: bool,
    pub(crate) sessions: Vec<SessionId>,
}

#[derive(Debug)]
pub(crate) enum Event {
    Act(Action),
    Timer(TabId, u64),
    Message(TabId, String),
    RecordChanged(TabId, String),
    Grant,
    LockAbsent(TabId, Ticket),
    Arrives(TabId, Attempt, RefreshRequest, bool),
    Answered(TabId, Attempt, Answer),
    RevokeArrives(TabId, RevokeId, Vec<String>),
    RevokeAnswered(TabId, RevokeId, bool),
    Called { tab: TabId, lease: LeaseId, token: String, user: Option<String>, resent: bool },
    Returned { tab: TabId, lease: LeaseId, status: u16, user: Option<String>, resent: bool },
    Online(bool),
    Wake(TabId),
    Recover,
}

impl World {
    /// A world that has not begun.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let mut dice = Dice::new(plan.seed ^ 0x5eed);
        let server = Server::new(dice.seed(), plan.access_ttl);
        Self {
            now: 0,
            tabs: Vec::new(),
            server,
            truth: Truth::default(),
            thief: None,
            broken: None,
            tally: Tally { worlds: 1, ..Tally::default() },
            story: None,
            disk: Disk::new(plan.storage, plan.odds.read_lag),
            locks: LockManager::default(),
            dice,
            queue: BinaryHeap::new(),
            coming: HashMap::new(),
            order: 0,
            clock_set: 0,
            offline_until: 0,
            asleep_until: 0,
            well: false,
            sessions: Vec::new(),
            plan,
        }
    }

    /// The same, with every step written down.
    #[must_use]
    pub fn told(plan: Plan) -> Self {
        Self { story: Some(Vec::new()), ..Self::new(plan) }
    }

    /// Runs it to its end, or to the first broken promise.
    pub fn run(&mut self) -> Option<Broken> {
        for _ in 0..self.plan.tabs {
            self.open(None);
        }
        self.sign_in(0, "ana");
        for (at, action) in self.plan.actions.clone() {
            self.at(at, Event::Act(action));
        }
        let end = self.plan.length;
        self.at(end, Event::Recover);
        while let Some(Reverse((at, _, key))) = self.queue.pop() {
            let Some(event) = self.coming.remove(&key) else { continue };
            if at > end + RECOVERY || self.broken.is_some() {
                break;
            }
            self.now = self.now.max(at);
            self.happen(event);
            if self.tally.steps > MAX_STEPS {
                self.broken("no livelock", format!("{MAX_STEPS} steps"));
            }
        }
        self.tally.time = self.now;
        for (rule, count) in &self.server.transitions {
            self.tally.transitions.insert(*rule, u64::from(*count));
        }
        if self.broken.is_none() {
            self.watch_the_end();
        }
        self.broken.clone()
    }

    pub(crate) const fn skewed(&self) -> Millis {
        self.plan.skew + self.clock_set
    }

    pub(crate) const fn wall(&self) -> Millis {
        EPOCH + self.now + self.skewed()
    }

    pub(crate) fn at(&mut self, at: Millis, event: Event) {
        self.order += 1;
        let key = self.order as usize;
        self.coming.insert(key, event);
        self.queue.push(Reverse((at, self.order, key)));
    }

    pub(crate) fn after(&mut self, low: Millis, high: Millis, event: Event) {
        let at = self.now + self.dice.between(low, high);
        self.at(at, event);
    }

    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push(format!("{:>10.3}  {}", self.now as f64 / 1_000.0, line()));
        }
    }

    fn strikes(&mut self, odds: u32, kind: &'static str) -> bool {
        let strikes = !self.well && self.dice.chance(odds);
        if strikes {
            self.tally.fault(kind);
            self.tell(|| format!("          fault: {kind}"));
        }
        strikes
    }

    pub(crate) fn happen(&mut self, event: Event) {
        if let Some(tab) = event.tab()
            && !self.reaches(tab)
        {
            // What comes for a page that stands still comes when it runs again, or never.
            let lost = matches!(event, Event::Message(..) | Event::Answered(..)) && !self.well;
            match self.tabs[tab].running {
                Running::Gone => {}
                Running::Frozen if lost && self.dice.chance(500) => {}
                Running::Frozen => self.after(500, 2_000, event),
                Running::Yes => {
                    let wait = self.asleep_until - self.now;
                    self.after(wait, wait + 50, event);
                }
            }
            return;
        }
        match event {
            Event::Act(action) => self.act(action),
            Event::Timer(tab, timer) => {
                if self.tabs[tab].timer == timer {
                    self.feed(tab, Input::TimerFired);
                }
            }
            Event::Message(tab, text) => self.feed(tab, Input::PeerMessage(text)),
            Event::RecordChanged(tab, text) => {
                let found = Record::decode(&text)
                    .map_or(Found::Corrupt, |record| Found::Record(Box::new(record)));
                self.feed(tab, Input::RecordChanged(found));
            }
            Event::Grant => self.grant(),
            Event::LockAbsent(tab, ticket) => self.feed(tab, Input::LockUnavailable(ticket)),
            Event::Arrives(tab, attempt, request, counts) => {
                self.arrives(tab, attempt, &request, counts)
            }
            Event::Answered(tab, attempt, answer) => {
                if self.tabs[tab].attempt == Some(attempt) {
                    self.tabs[tab].attempt = None;
                    self.feed(tab, Input::RefreshAnswered { attempt, answer });
                }
            }
            Event::RevokeArrives(tab, revoke, tokens) => {
                for token in tokens {
                    if let Some(sid) = self.server.session_of(&token) {
                        self.server.revoke(sid);
                    }
                }
                let revoked = !self.strikes(self.plan.odds.lost_response, "response lost");
                self.after(5, 100, Event::RevokeAnswered(tab, revoke, revoked));
            }
            Event::RevokeAnswered(tab, revoke, revoked) => {
                self.feed(tab, Input::RevokeAnswered { revoke, revoked });
            }
            Event::Called { tab, lease, token, user, resent } => {
                let status = if self.server.accepts(&token, self.now) { 200 } else { 401 };
                self.after(5, 100, Event::Returned { tab, lease, status, user, resent });
            }
            Event::Returned { tab, lease, status, user, resent } => {
                self.tell(|| format!("tab {tab}    request answered {status}"));
                if status == 401 && !resent {
                    let what = What::Request { user, resent: true };
                    let waiter = self.tabs[tab].call(what, self.now);
                    self.feed(tab, Input::Unauthorized { waiter: Some(waiter), lease });
                }
            }
            Event::Online(online) => {
                for tab in 0..self.tabs.len() {
                    if self.reaches(tab) {
                        self.feed(tab, Input::Online(online));
                    }
                }
            }
            Event::Wake(tab) => self.feed(tab, Input::Woken(Wake::Resumed)),
            Event::Recover => self.recover(),
        }
    }

    /// Whether the tab's code runs at this moment.
    pub(crate) fn reaches(&self, tab: TabId) -> bool {
        self.tabs[tab].is_running() && self.now >= self.asleep_until
    }

    pub(crate) fn feed(&mut self, id: TabId, input: Input) {
        let mut inputs = std::collections::VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let clocks = self.tabs[id].clocks(self.now, self.wall());
            self.tell(|| format!("tab {id} <- {input:?}"));
            self.tally.steps += 1;
            self.tabs[id].session.handle(input, clocks);
            while let Some(effect) = self.tabs[id].session.poll() {
                if !matches!(effect, Effect::Lease(_) | Effect::Write { .. } | Effect::Broadcast(_))
                {
                    self.tell(|| format!("tab {id} -> {effect:?}"));
                }
                inputs.extend(self.perform(id, effect));
            }
        }
        self.arm(id);
        self.watch_tab(id);
    }

    fn arm(&mut self, id: TabId) {
        let Some(deadline) = self.tabs[id].session.next_deadline() else { return };
        self.tabs[id].timer += 1;
        let timer = self.tabs[id].timer;
        let mut at = self.now + deadline.after.max(0);
        if self.tabs[id].hidden && !self.well {
            // Browsers wake a hidden page once a minute.
            at = at / 60_000 * 60_000 + 60_000;
        }
        self.at(at, Event::Timer(id, timer));
    }

    fn perform(&mut self, id: TabId, effect: Effect) -> Option<Input> {
        let now = self.now;
        match effect {
            Effect::SendRefresh { attempt, request } => self.send(id, attempt, request),
            Effect::AbortRefresh(attempt) => {
                if self.tabs[id].attempt == Some(attempt) {
                    self.tabs[id].attempt = None;
                }
            }
            Effect::AcquireLock(ticket) => match self.plan.locks {
                Locks::Absent => self.after(0, 1, Event::LockAbsent(id, ticket)),
                Locks::Stuck if !self.well => {}
                Locks::Late if !self.well => {
                    self.locks.request(id, ticket);
                    self.after(0, 20_000, Event::Grant);
                }
                _ => {
                    self.locks.request(id, ticket);
                    self.after(0, 2, Event::Grant);
                }
            },
            Effect::ReleaseLock(ticket) => {
                self.locks.release(id, ticket);
                self.after(0, 2, Event::Grant);
            }
            Effect::Read(read) => {
                let found = self.disk.read(id, self.tabs[id].own.as_deref(), now);
                return Some(Input::RecordRead { read, found });
            }
            Effect::Write { write, record } => {
                if self.strikes(self.plan.odds.failed_write, "storage write failed") {
                    let written = everfresh::core::input::Written::Failed;
                    return Some(Input::RecordWritten { write, written });
                }
                let (written, text) = self.disk.write(id, &mut self.tabs[id].own, *record, now);
                for other in 0..self.tabs.len() {
                    if let Some(text) = text.clone().filter(|_| other != id) {
                        let lag = self.plan.odds.read_lag;
                        self.after(lag, lag + 20, Event::RecordChanged(other, text));
                    }
                }
                return Some(Input::RecordWritten { write, written });
            }
            Effect::Forget => self.tabs[id].own = None,
            Effect::Broadcast(text) => self.broadcast(id, &text),
            Effect::Settle { waiter, outcome } => self.settle(id, waiter, outcome),
            Effect::Lease(lease) => self.tabs[id].lease = lease,
            Effect::Revoke { revoke, request } => {
                let tokens = request.access_token.into_iter().collect();
                if now < self.offline_until
                    || self.strikes(self.plan.odds.lost_request, "request lost")
                {
                    self.after(5, 50, Event::RevokeAnswered(id, revoke, false));
                } else {
                    self.after(5, 100, Event::RevokeArrives(id, revoke, tokens));
                }
            }
            Effect::Emit(event) => self.watch_event(id, &event),
        }
        None
    }

    fn broadcast(&mut self, from: TabId, text: &str) {
        for to in 0..self.tabs.len() {
            if to == from || self.strikes(self.plan.odds.lost_message, "message lost") {
                continue;
            }
            self.after(0, 5, Event::Message(to, text.to_owned()));
            if self.strikes(self.plan.odds.odd_message, "message repeated late") {
                self.after(0, 10_000, Event::Message(to, text.to_owned()));
            }
        }
    }

    fn send(&mut self, id: TabId, attempt: Attempt, request: RefreshRequest) {
        self.tally.refreshes += 1;
        self.tabs[id].attempt = Some(attempt);
        let odds = self.plan.odds;
        if self.now < self.offline_until {
            self.after(1, 50, Event::Answered(id, attempt, Answer::Unreachable));
        } else if self.strikes(odds.lost_request, "request lost") {
            self.after(50, 15_000, Event::Answered(id, attempt, Answer::Unreachable));
        } else if self.strikes(odds.refused, "refused on the way") {
            let answer = self.detour();
            self.after(5, 100, Event::Answered(id, attempt, answer));
        } else {
            if self.strikes(odds.duplicated, "request arrives twice") {
                let copy = request.clone();
                self.after(100, 40_000, Event::Arrives(id, attempt, copy, false));
            }
            let slow = self.strikes(odds.slow, "slow request");
            let most = if slow { 30_000 } else { 100 };
            self.after(5, most, Event::Arrives(id, attempt, request, true));
        }
    }

    /// What proxies, gateways and captive portals say.
    fn detour(&mut self) -> Answer {
        let status = self.dice.pick(&[408, 429, 500, 502, 503, 200]);
        if status == 200 {
            return Answer::Unusable;
        }
        let retry_after =
            (status == 429 || status == 503).then(|| self.dice.between(0, 30) * 1_000);
        Answer::Refused { status, error: String::new(), error_code: String::new(), retry_after }
    }

    fn arrives(&mut self, tab: TabId, attempt: Attempt, request: &RefreshRequest, counts: bool) {
        let token = request.refresh_token.as_deref().unwrap_or_default();
        let answer = self.server.refresh(token, &request.rotation_key, Who::Owner, self.now);
        self.tell(|| match &answer {
            Answer::Granted(_) => "server     grants".to_owned(),
            answer => format!("server     {answer:?}"),
        });
        if !counts {
            return;
        }
        if let Some(thief) = &mut self.thief {
            thief.owner_came();
        }
        if self.strikes(self.plan.odds.lost_response, "response lost") {
            self.after(50, 15_000, Event::Answered(tab, attempt, Answer::Unreachable));
            return;
        }
        let slow = self.strikes(self.plan.odds.slow, "slow response");
        let most = if slow { 30_000 } else { 100 };
        self.after(5, most, Event::Answered(tab, attempt, answer));
        self.thief_follows();
    }

    fn settle(&mut self, id: TabId, waiter: u32, outcome: Outcome) {
        let Some(call) = self.tabs[id].calls.remove(&waiter) else {
            self.broken("everybody is settled once", format!("tab {id}, waiter {waiter}"));
            return;
        };
        self.watch_settled(id, &call.what, call.asked_at, &outcome);
        if let (What::Request { user, resent }, Outcome::Token(lease)) = (call.what, outcome) {
            self.call_server(id, lease.id, lease.access_token, user, resent);
        }
    }

    pub(crate) fn call_server(
        &mut self,
        tab: TabId,
        lease: LeaseId,
        token: String,
        user: Option<String>,
        resent: bool,
    ) {
        if self.now >= self.offline_until {
            self.after(5, 100, Event::Called { tab, lease, token, user, resent });
        }
    }

    fn grant(&mut self) {
        let Some((tab, ticket)) = self.locks.grant() else { return };
        // A frozen page is given the lock and does nothing with it.
        if self.reaches(tab) {
            self.feed(tab, Input::LockGranted(ticket));
        } else if self.tabs[tab].is_running() {
            self.locks.release(tab, ticket);
            self.locks.request(tab, ticket);
            let wait = self.asleep_until - self.now;
            self.after(wait, wait + 10, Event::Grant);
        }
    }
}

impl Event {
    /// The tab whose code has to run for it.
    const fn tab(&self) -> Option<TabId> {
        match self {
            Self::Timer(tab, _)
            | Self::Message(tab, _)
            | Self::RecordChanged(tab, _)
            | Self::LockAbsent(tab, _)
            | Self::Answered(tab, ..)
            | Self::RevokeAnswered(tab, ..)
            | Self::Returned { tab, .. }
            | Self::Wake(tab) => Some(*tab),
            _ => None,
        }
    }
}
