//! The browser around the tabs: storage, the lock manager.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    rc::Rc,
};

use everfresh::{
    core::{clock::Millis, ids::Ticket},
    engine::{
        host::{Loaded, Place},
        virtual_host::Places,
    },
};

use crate::{
    plan::{Plan, Storage},
    rng::Rng,
};

/// Names a tab; never used twice.
pub type TabId = usize;

/// What storage does beyond this while a tab runs once is left to the world, which calls it endless.
const MOST_AT_ONCE: usize = 10_000;

/// No text of a session.
const GARBAGE: &str = r#"{"theme":"dark"}"#;

/// The places of texts, and when they fail.
#[derive(Debug)]
pub struct Disk {
    mode: Storage,
    lag: Millis,
    failing: u32,
    rng: Rng,
    pub(crate) now: Millis,
    /// Nothing fails until then.
    pub(crate) well_until: Millis,
    /// What was written when by whom at the place that all tabs see, newest last.
    history: VecDeque<(Millis, TabId, Option<Rc<str>>)>,
    /// What each tab has at the place of its own.
    own: HashMap<TabId, Rc<str>>,
    /// How many texts of a tab are not to fail, after one has.
    spared: HashMap<TabId, u8>,
    /// What has happened since the world looked last.
    pub(crate) done: Done,
}

/// What storage did while a tab ran.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) count: usize,
    /// Texts that other tabs hear of.
    pub(crate) shared: u32,
    pub(crate) failed: Vec<&'static str>,
}

/// What a tab sees of the disk.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    pub(crate) tab: TabId,
    pub(crate) disk: Rc<RefCell<Disk>>,
}

impl Places for Shelf {
    fn load(&self, place: Place) -> Option<Loaded> {
        let mut disk = self.disk.borrow_mut();
        disk.is_prompt(place).then(|| disk.load(self.tab, place))
    }

    fn store(&self, place: Place, text: &str) -> Option<bool> {
        let mut disk = self.disk.borrow_mut();
        disk.is_prompt(place).then(|| disk.store(self.tab, place, text.into()))
    }

    fn remove(&self, place: Place) -> bool {
        self.disk.borrow_mut().remove(self.tab, place);
        true
    }
}

impl Disk {
    pub(crate) fn new(seed: u64, plan: &Plan) -> Self {
        Self {
            mode: plan.storage,
            lag: plan.odds.read_lag,
            failing: plan.odds.failed_storage,
            rng: Rng::new(seed),
            now: 0,
            well_until: 0,
            history: VecDeque::new(),
            own: HashMap::new(),
            spared: HashMap::new(),
            done: Done::default(),
        }
    }

    /// Whether a place answers in the same breath; one of the application's own does not.
    fn is_prompt(&mut self, place: Place) -> bool {
        self.done.count += 1;
        place != Place::Custom && self.done.count <= MOST_AT_ONCE
    }

    pub(crate) fn load(&mut self, tab: TabId, place: Place) -> Loaded {
        if self.fails(tab, "storage not read") {
            return Loaded::Failed;
        }
        let text = if place == Place::Session { self.own.get(&tab) } else { self.shared(tab) };
        text.map_or(Loaded::Nothing, |text| Loaded::Text(text.as_ref().to_owned()))
    }

    pub(crate) fn store(&mut self, tab: TabId, place: Place, text: Rc<str>) -> bool {
        if self.fails(tab, "storage not written") {
            return false;
        }
        if place == Place::Session {
            self.own.insert(tab, text);
        } else {
            self.put(tab, Some(text));
            self.done.shared += 1;
        }
        true
    }

    pub(crate) fn remove(&mut self, tab: TabId, place: Place) {
        if place == Place::Session {
            self.own.remove(&tab);
        } else {
            self.put(tab, None);
        }
    }

    /// What a tab sees of the shared text: its own at once, the others' after the lag.
    fn shared(&self, tab: TabId) -> Option<&Rc<str>> {
        let mut newest_first = self.history.iter().rev();
        let seen = newest_first.find(|(at, writer, _)| *writer == tab || at + self.lag <= self.now);
        seen.and_then(|(_, _, text)| text.as_ref())
    }

    fn fails(&mut self, tab: TabId, kind: &'static str) -> bool {
        if self.mode == Storage::Broken {
            return true;
        }
        if self.failing == 0 || self.now < self.well_until {
            return false;
        }
        let spared = self.spared.entry(tab).or_default();
        if *spared > 0 {
            *spared -= 1;
            return false;
        }
        let fails = self.rng.chance(self.failing);
        if fails {
            // What is tried again works: both its loads and both its stores.
            *spared = 4;
            self.done.failed.push(kind);
        }
        fails
    }

    /// The copy that a tab has of its own.
    pub(crate) fn own(&self, tab: TabId) -> Option<&Rc<str>> {
        self.own.get(&tab)
    }

    /// A tab begins with a copy of another one's.
    pub(crate) fn give(&mut self, tab: TabId, own: Option<Rc<str>>) {
        self.own.extend(own.map(|text| (tab, text)));
    }

    /// The texts that a tab can read, its own first.
    pub(crate) fn texts(&self, tab: TabId) -> Vec<Rc<str>> {
        self.own(tab).into_iter().chain(self.shared(tab)).cloned().collect()
    }

    /// Empties the shared place, or leaves something else there.
    pub(crate) fn wipe(&mut self, garbage: bool) {
        self.put(TabId::MAX, garbage.then(|| GARBAGE.into()));
    }

    fn put(&mut self, tab: TabId, text: Option<Rc<str>>) {
        self.history.push_back((self.now, tab, text));
        if self.history.len() > 64 {
            self.history.pop_front();
        }
    }
}

/// The lock manager: one lock, first come, first served.
#[derive(Debug, Default)]
pub struct LockManager {
    holder: Option<(TabId, Ticket)>,
    queue: VecDeque<(TabId, Ticket)>,
}

impl LockManager {
    pub(crate) fn request(&mut self, tab: TabId, ticket: Ticket) {
        self.queue.push_back((tab, ticket));
    }

    pub(crate) fn release(&mut self, tab: TabId, ticket: Ticket) {
        self.queue.retain(|waiting| *waiting != (tab, ticket));
        if self.holder == Some((tab, ticket)) {
            self.holder = None;
        }
    }

    pub(crate) fn is_held_by(&self, tab: TabId) -> bool {
        self.holder.is_some_and(|(holder, _)| holder == tab)
    }

    pub(crate) fn is_wanted_by(&self, tab: TabId) -> bool {
        self.queue.iter().any(|(waiting, _)| *waiting == tab)
    }

    /// The browser takes back what a page that is gone had.
    pub(crate) fn forget(&mut self, tab: TabId) {
        self.queue.retain(|(waiting, _)| *waiting != tab);
        self.holder = self.holder.filter(|(holder, _)| *holder != tab);
    }

    /// Takes it from whoever holds it.
    pub(crate) fn take(&mut self) {
        self.holder = None;
    }

    /// Gives the lock to the next in line, if it is free.
    pub(crate) fn grant(&mut self) -> Option<(TabId, Ticket)> {
        if self.holder.is_some() {
            return None;
        }
        self.holder = self.queue.pop_front();
        self.holder
    }
}
