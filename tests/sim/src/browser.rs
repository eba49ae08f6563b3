//! The browser around the tabs: shared storage, the lock manager.

use std::{collections::VecDeque, rc::Rc};

use everfresh::core::{
    clock::Millis,
    effect::Ticket,
    input::{Found, Written},
    record::Record,
};

use crate::plan::Storage;

/// Names a tab; never used twice.
pub type TabId = usize;

/// Storage that all tabs of the origin see, some of them late.
#[derive(Debug)]
pub struct Disk {
    mode: Storage,
    lag: Millis,
    /// Records really are text, which takes long.
    textual: bool,
    /// What was written when by whom, newest last.
    history: VecDeque<(Millis, TabId, Option<Rc<Record>>)>,
}

impl Disk {
    pub(crate) const fn new(mode: Storage, lag: Millis, textual: bool) -> Self {
        Self { mode, lag, textual, history: VecDeque::new() }
    }

    /// What a tab sees of the shared record: its own writes at once, the others' after the lag.
    fn shared(&self, tab: TabId, now: Millis) -> Option<&Rc<Record>> {
        self.history
            .iter()
            .rev()
            .find(|(at, writer, _)| *writer == tab || at + self.lag <= now)
            .and_then(|(_, _, record)| record.as_ref())
    }

    pub(crate) fn read(&self, tab: TabId, own: Option<&Rc<Record>>, now: Millis) -> Found {
        if self.mode == Storage::Broken {
            return Found::Unavailable;
        }
        let record = |record: &Rc<Record>| Record::clone(record);
        let joined = match (self.shared(tab, now), own) {
            (Some(shared), Some(own)) => {
                let mut joined = record(shared);
                joined.join(record(own));
                Some(joined)
            }
            (shared, own) => shared.or(own).map(record),
        };
        joined.map_or(Found::Nothing, |record| Found::Record(Box::new(record)))
    }

    /// Joins and stores; gives the new shared record too, for the storage event. What is there
    /// already is not written again.
    pub(crate) fn write(
        &mut self,
        tab: TabId,
        own: &mut Option<Rc<Record>>,
        record: Record,
        now: Millis,
    ) -> (Written, Option<Rc<Record>>) {
        let joined = match self.read(tab, own.as_ref(), now) {
            Found::Record(mut stored) => {
                stored.join(record);
                *stored
            }
            Found::Unavailable => return (Written::Failed, None),
            Found::Nothing | Found::Corrupt => record,
        };
        if self.mode == Storage::Session {
            *own = self.kept(&joined, true);
        }
        let shared = self.kept(&joined, self.mode == Storage::Local);
        let shared = shared.filter(|shared| self.shared(tab, now) != Some(shared));
        if shared.is_some() {
            self.put(tab, shared.clone(), now);
        }
        (Written::Stored(Box::new(joined)), shared)
    }

    fn kept(&self, record: &Record, with_tokens: bool) -> Option<Rc<Record>> {
        if self.textual {
            return Record::decode(&record.encode(with_tokens)).map(Rc::new);
        }
        Some(Rc::new(record.clone().kept(with_tokens)))
    }

    pub(crate) fn wipe(&mut self, now: Millis) {
        self.put(TabId::MAX, None, now);
    }

    fn put(&mut self, tab: TabId, record: Option<Rc<Record>>, now: Millis) {
        self.history.push_back((now, tab, record));
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
