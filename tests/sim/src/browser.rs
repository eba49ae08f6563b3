//! The browser around the tabs: shared storage, the lock manager.

use std::collections::VecDeque;

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
    /// What was written when by whom, newest last.
    history: VecDeque<(Millis, TabId, Option<String>)>,
}

impl Disk {
    pub(crate) const fn new(mode: Storage, lag: Millis) -> Self {
        Self { mode, lag, history: VecDeque::new() }
    }

    /// What a tab sees of the shared record: its own writes at once, the others' after the lag.
    fn text(&self, tab: TabId, now: Millis) -> Option<&str> {
        self.history
            .iter()
            .rev()
            .find(|(at, writer, _)| *writer == tab || at + self.lag <= now)
            .and_then(|(_, _, text)| text.as_deref())
    }

    pub(crate) fn read(&self, tab: TabId, own: Option<&str>, now: Millis) -> Found {
        if self.mode == Storage::Broken {
            return Found::Unavailable;
        }
        let shared = self.text(tab, now).and_then(Record::decode);
        let own = own.and_then(Record::decode);
        let joined = match (shared, own) {
            (Some(mut shared), Some(own)) => {
                shared.join(own);
                Some(shared)
            }
            (shared, own) => shared.or(own),
        };
        joined.map_or(Found::Nothing, |record| Found::Record(Box::new(record)))
    }

    /// Joins and stores; gives the new shared text too, for the storage event.
    pub(crate) fn write(
        &mut self,
        tab: TabId,
        own: &mut Option<String>,
        record: Record,
        now: Millis,
    ) -> (Written, Option<String>) {
        let joined = match self.read(tab, own.as_deref(), now) {
            Found::Record(mut stored) => {
                stored.join(record);
                *stored
            }
            Found::Unavailable => return (Written::Failed, None),
            Found::Nothing | Found::Corrupt => record,
        };
        if self.mode == Storage::Session {
            *own = Some(joined.encode(true));
        }
        let text = joined.encode(self.mode == Storage::Local);
        self.put(tab, Some(text.clone()), now);
        (Written::Stored(Box::new(joined)), Some(text))
    }

    pub(crate) fn wipe(&mut self, now: Millis) {
        self.put(TabId::MAX, None, now);
    }

    fn put(&mut self, tab: TabId, text: Option<String>, now: Millis) {
        self.history.push_back((now, tab, text));
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

    /// The browser takes back what a page that is gone had.
    pub(crate) fn forget(&mut self, tab: TabId) {
        self.queue.retain(|(waiting, _)| *waiting != tab);
        self.holder = self.holder.filter(|(holder, _)| *holder != tab);
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
