//! The world: one queue of things to come, taken in order of time.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    mem,
    rc::Rc,
};

use everfresh::{
    core::{
        clock::Millis,
        ids::{Attempt, LeaseId, RevokeId, Ticket},
        input::{Input, Wake},
    },
    engine::host::{Load, Loaded, Store},
};
use everfresh_server::rotation::SessionId;

use crate::{
    browser::{Disk, LockManager, TabId},
    host::MAX_WANTS,
    invariants::{Broken, Truth},
    lost_news::LostNews,
    plan::{Action, Locks, Odds, Plan, Storage},
    queue::{Next, Queue},
    rng::Rng,
    server::{EPOCH, Server},
    server_invariants::ServerInvariants,
    statistics::Statistics,
    tab::{Running, Tab, TabEngine, What},
    thief::{Thief, Use},
    wire::{Asked, Letter},
};

/// More calls of engines than this in one world of ten tabs are a livelock.
const MAX_STEPS: u64 = 2_000_000;

/// How long everything is well at the end, so that every tab can recover.
pub(crate) const RECOVERY: Millis = 200_000;

/// How long it may take the tabs to make sure of a thief: they ask three times, and all of
/// them back off as one.
const NOTICING: Millis = 2 * 3_600_000;

/// How long it can be felt that something was lost, late or refused: no longer than the slowest
/// answer takes.
const STRIKE: Millis = 30_000;

/// A fault that stands in no tab's way.
pub(crate) const REPEATED: &str = "message repeated late";

/// One run of a [`Plan`].
#[derive(Debug)]
pub struct World {
    pub(crate) plan: Plan,
    pub(crate) now: Millis,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) server: Server,
    pub(crate) truth: Truth,
    pub(crate) thief: Option<Thief>,
    /// The refresh token that the browser keeps from scripts.
    pub(crate) jar: Option<String>,
    /// The cookie that the late answer to a page that stood still has put in the place of a newer one.
    pub(crate) brought_back: Option<String>,
    pub(crate) lost_news: LostNews,
    /// The refresh tokens that were good for something.
    pub(crate) uses: HashMap<String, Use>,
    pub(crate) broken: Option<Broken>,
    /// How often the way to the server said what may be the server's word.
    pub(crate) doubtful: u32,
    /// What it came to.
    pub statistics: Statistics,
    /// What happened, line by line, if it was asked for.
    pub story: Option<Vec<String>>,
    pub(crate) disk: Rc<RefCell<Disk>>,
    pub(crate) locks: LockManager,
    pub(crate) rng: Rng,
    pub(crate) queue: Queue<Event>,
    pub(crate) facts: Facts,
    pub(crate) server_invariants: ServerInvariants,
    /// What the wall clock of the device was set by.
    pub(crate) clock_set: Millis,
    /// It was set back at least once.
    pub(crate) set_back: bool,
    pub(crate) offline_until: Millis,
    pub(crate) asleep_until: Millis,
    /// Until then the lock may fail to keep refreshes apart.
    pub(crate) strained_until: Millis,
    /// Until then the application's server takes no token.
    pub(crate) distrust_until: Millis,
    pub(crate) well: bool,
    pub(crate) max_wants: usize,
    pub(crate) sessions: Vec<SessionId>,
    /// Nothing strikes until then.
    pub(crate) calm_until: Millis,
    /// Until then something is in the way of some tab, as far as the world has seen.
    pub(crate) troubled_until: Millis,
    /// When all tabs are looked at next.
    pub(crate) looks_at: Millis,
    /// When a look last found a tab that named a reason for having no token.
    pub(crate) said_at: Millis,
    /// Those whose newest tokens no tab has, at a service without keys.
    pub(crate) astray: HashSet<SessionId>,
}

#[derive(Debug)]
pub(crate) enum Event {
    Act(Action),
    Message(TabId, Rc<str>),
    RecordChanged(TabId),
    LoadArrives(TabId, Load),
    Loaded(TabId, Load, Loaded),
    StoreArrives(TabId, Store, Rc<str>),
    Stored(TabId, Store, bool),
    Grant,
    LockAbsent(TabId, Ticket),
    Arrives(TabId, Attempt, Box<Asked>, bool),
    Answered(TabId, Attempt, Box<Letter>),
    RevokeArrives(TabId, RevokeId, String),
    /// With this status, or not at all.
    RevokeAnswered(TabId, RevokeId, Option<u16>),
    Called {
        tab: TabId,
        request: Sent,
    },
    Returned {
        tab: TabId,
        status: u16,
        request: Sent,
    },
    Online(bool),
    Wake(TabId),
    Thief,
    Recover,
}

/// A request of the application that carries a token.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) lease: LeaseId,
    pub(crate) token: String,
    pub(crate) user: Option<String>,
    pub(crate) resent: bool,
}

/// What of a plan is asked for after every step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) locks_keep_apart: bool,
    /// No page stands still or wakes late.
    pub(crate) calm: bool,
    pub(crate) clock_is_set: bool,
    /// Nobody can be there while the device sleeps, whatever is held.
    pub(crate) leaps: bool,
    /// What one tab learns the others learn.
    pub(crate) all_hear: bool,
    pub(crate) nothing_happens: bool,
    pub(crate) jitter_shows: bool,
}

impl World {
    /// A world that has not begun.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let mut rng = Rng::new(plan.seed ^ 0x5eed);
        let server = Server::new(rng.seed(), &plan);
        let disk = Disk::new(rng.seed(), &plan);
        let facts = Facts::of(&plan);
        Self {
            now: 0,
            tabs: Vec::new(),
            server,
            truth: Truth::default(),
            thief: None,
            jar: None,
            brought_back: None,
            lost_news: LostNews::default(),
            uses: HashMap::new(),
            broken: None,
            doubtful: 0,
            statistics: Statistics { worlds: 1, ..Statistics::default() },
            story: None,
            disk: Rc::new(RefCell::new(disk)),
            locks: LockManager::default(),
            rng,
            queue: Queue::new(),
            facts,
            server_invariants: ServerInvariants::default(),
            clock_set: 0,
            set_back: false,
            offline_until: 0,
            asleep_until: -1,
            strained_until: -1,
            distrust_until: 0,
            well: false,
            max_wants: MAX_WANTS,
            sessions: Vec::new(),
            calm_until: 0,
            troubled_until: 0,
            looks_at: 0,
            said_at: Millis::MIN / 2,
            astray: HashSet::new(),
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
        while let Some((at, next)) = self.queue.next() {
            let patience = if self.owner_is_noticing() { NOTICING } else { RECOVERY };
            if at > end + patience || self.broken.is_some() {
                break;
            }
            self.step(at, next);
            // Each tab hears of what each other one stores.
            let most = MAX_STEPS * (self.tabs.len() as u64).pow(2).max(100) / 100;
            if self.statistics.steps > most {
                self.broken("no livelock", format!("{most} steps"));
            }
        }
        self.statistics.time = self.now;
        for (rule, count) in &self.server.transitions {
            self.statistics.transitions.insert(*rule, u64::from(*count));
        }
        if self.broken.is_none() {
            self.watch_the_end();
        }
        self.statistics.seal(self.plan.seed, self.broken.as_ref());
        self.broken.clone()
    }

    fn step(&mut self, at: Millis, next: Next<Event>) {
        self.now = self.now.max(at);
        self.watch_liveness();
        match next {
            Next::Event(event) => self.happen(event),
            Next::Deadline(tab) => self.deadline(tab),
        }
    }

    #[cfg(test)]
    pub(crate) fn run_until(&mut self, until: impl Fn(&Self) -> bool) {
        while !until(self) {
            let (at, next) = self.queue.next().expect("there is something to come");
            self.step(at, next);
        }
    }

    pub(crate) const fn skewed(&self) -> Millis {
        self.plan.skew + self.clock_set
    }

    pub(crate) const fn wall(&self) -> Millis {
        EPOCH + self.now + self.skewed()
    }

    pub(crate) fn at(&mut self, at: Millis, event: Event) {
        self.queue.add(at, event);
    }

    pub(crate) fn after(&mut self, low: Millis, high: Millis, event: Event) {
        let at = self.now + self.rng.between(low, high);
        self.at(at, event);
    }

    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push(format!("{:>10.3}  {}", self.now as f64 / 1_000.0, line()));
        }
    }

    pub(crate) fn strikes(&mut self, odds: u32, kind: &'static str) -> bool {
        let strikes = !self.well && self.now >= self.calm_until && self.rng.chance(odds);
        if strikes {
            if kind != REPEATED {
                self.trouble(STRIKE);
            }
            self.statistics.fault(kind);
            self.tell(|| format!("          fault: {kind}"));
        }
        strikes
    }

    pub(crate) fn happen(&mut self, mut event: Event) {
        if let Event::Answered(tab, attempt, letter) = &mut event
            && self.now >= self.asleep_until
        {
            self.keep_cookie(*tab, *attempt, letter);
        }
        if let Some(tab) = event.tab()
            && !self.reaches(tab)
        {
            // What comes for a page that stands still comes when it runs again, or never.
            let mortal = matches!(event, Event::Message(..) | Event::Answered(..));
            match self.tabs[tab].running {
                Running::Gone => {}
                Running::Frozen if mortal && self.rng.chance(500) => {}
                Running::Frozen => self.tabs[tab].parked.push(event),
                Running::Yes => {
                    let wait = self.asleep_until - self.now;
                    self.after(wait, wait + 50, event);
                }
            }
            return;
        }
        match event {
            Event::Act(action) => self.act(action),
            Event::Message(tab, said) => {
                self.tell(|| format!("tab {tab} <- the others"));
                self.note_news(tab, &said);
                self.note_keys(tab, &said);
                self.turn(tab, |engine| engine.heard(&said));
            }
            Event::RecordChanged(tab) => {
                self.tell(|| format!("tab {tab} <- another tab has written"));
                self.turn(tab, TabEngine::record_changed);
            }
            Event::LoadArrives(tab, load) => {
                let loaded = self.at_disk(|disk| disk.load(tab, load.place));
                self.after(0, 5, Event::Loaded(tab, load, loaded));
            }
            Event::Loaded(tab, load, loaded) => {
                if let Loaded::Text(text) = &loaded {
                    self.note_news(tab, text);
                    self.note_keys(tab, text);
                }
                self.turn(tab, |engine| engine.loaded(load, loaded))
            }
            Event::StoreArrives(tab, store, text) => {
                let works = self.at_disk(|disk| disk.store(tab, store.place, text));
                self.after(0, 5, Event::Stored(tab, store, works));
            }
            Event::Stored(tab, store, works) => {
                self.turn(tab, |engine| engine.stored(store, works))
            }
            Event::Grant => self.grant(),
            Event::LockAbsent(tab, ticket) => self.feed(tab, Input::LockUnavailable(ticket)),
            Event::Arrives(tab, attempt, asked, counts) => {
                self.arrives(tab, attempt, &asked, counts);
            }
            Event::Answered(tab, attempt, letter) => self.answered(tab, attempt, *letter),
            Event::RevokeArrives(tab, revoke, token) => self.revoke_arrives(tab, revoke, &token),
            Event::RevokeAnswered(tab, revoke, status) => {
                self.revoke_answered(tab, revoke, status);
            }
            Event::Called { tab, request } => {
                let trusted = self.now >= self.distrust_until;
                let accepted = trusted && self.server.accepts(&request.token, self.now);
                let status = if accepted { 200 } else { 401 };
                self.after(5, 100, Event::Returned { tab, status, request });
            }
            Event::Returned { tab, status, request } => {
                self.tell(|| format!("tab {tab}    request answered {status}"));
                if status == 401 && !request.resent {
                    let Sent { lease, token, user, .. } = request;
                    let what = What::Request { user, resent: true };
                    self.tabs[tab].denied = Some(token);
                    let input = |waiter| Input::Unauthorized { waiter: Some(waiter), lease };
                    self.ask(tab, what, input);
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
            Event::Thief => self.thief_comes(),
            Event::Recover => self.recover(),
        }
    }

    /// Whether the tab's code runs at this moment.
    pub(crate) fn reaches(&self, tab: TabId) -> bool {
        self.tabs[tab].is_running() && self.now >= self.asleep_until
    }

    fn deadline(&mut self, id: TabId) {
        if self.reaches(id) {
            self.feed(id, Input::TimerFired);
        } else if self.tabs[id].is_running() {
            let at = self.asleep_until + self.rng.between(0, 50);
            self.queue.set_deadline(id, Some(at));
        } else {
            self.tabs[id].overdue = true;
        }
    }

    /// What the page has missed while it stood still.
    pub(crate) fn catch_up(&mut self, id: TabId) {
        let from = self.now.max(self.asleep_until) - self.now;
        self.after(from, from + 20, Event::Wake(id));
        for event in mem::take(&mut self.tabs[id].parked) {
            self.after(from, from + 50, event);
        }
        if mem::take(&mut self.tabs[id].overdue) {
            let at = self.now + from + self.rng.between(0, 20);
            self.queue.set_deadline(id, Some(at));
        }
    }
}

impl Facts {
    fn of(plan: &Plan) -> Self {
        use Action::{Freeze, Hide, Input, Request, SetClock, Sleep, Wipe};
        let did = |what: fn(&Action) -> bool| plan.actions.iter().any(|(_, action)| what(action));
        let odds = plan.odds;
        let heard = odds.lost_message == 0 && odds.late_message == 0;
        let lossless = heard && odds.failed_storage == 0 && odds.read_lag == 0;
        let life = Millis::from(plan.access_ttl) * 1_000;
        Self {
            locks_keep_apart: plan.locks_keep_apart(),
            calm: !did(|action| matches!(action, Sleep(_) | Freeze(..) | Hide(_))),
            leaps: did(|action| matches!(action, SetClock(_) | Sleep(_))),
            clock_is_set: did(|action| matches!(action, SetClock(_))),
            all_hear: lossless && !did(|action| matches!(action, Freeze(..) | Sleep(_) | Wipe(_))),
            nothing_happens: odds == Odds::default()
                && plan.locks == Locks::Working
                && plan.storage != Storage::Broken
                && !did(|action| !matches!(action, Input(_) | Request(_))),
            jitter_shows: plan.hints.refresh_in.is_none()
                && plan.policy.jitter >= 5_000
                && plan.policy.lead < life / 2,
        }
    }
}

impl Event {
    /// The tab whose code has to run for it.
    const fn tab(&self) -> Option<TabId> {
        match self {
            Self::Message(tab, _)
            | Self::RecordChanged(tab)
            | Self::Loaded(tab, ..)
            | Self::Stored(tab, ..)
            | Self::LockAbsent(tab, _)
            | Self::Answered(tab, ..)
            | Self::RevokeAnswered(tab, ..)
            | Self::Returned { tab, .. }
            | Self::Wake(tab) => Some(*tab),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_answers_itself_for_ever_is_stopped() {
        let mut world = World { max_wants: 1, ..World::new(Plan::day(1)) };
        let broken = world.run().expect("a page load wants more than one thing");
        assert_eq!((broken.promise, broken.at), ("no livelock", 0));
    }
}
