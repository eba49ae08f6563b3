//! Which engines are alike: for searches that must not go through the same state twice.

use core::{
    cell::{Cell, RefCell},
    hash::{Hash, Hasher},
};

use super::{
    Engine, State,
    host::Host,
    records::{Purpose, Records},
};

/// Which names are told apart from each other. Names of different kinds may be equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Tickets, attempts, reads, writes and revocations.
    Machine,
    /// Loads and stores.
    Storage,
    /// Callers that wait.
    Waiter,
}

impl<H: Host> Engine<H> {
    /// Gives everything that the engine remembers by a name a new name. `rename` must give different
    /// names to different ones of a kind, and `last` must be no less than all of them. Names are only
    /// ever compared for equality, so the engine behaves as before.
    ///
    /// # Panics
    /// When something is still to be done: an engine gets new names at rest.
    pub fn rename(&mut self, last: u32, rename: &mut dyn FnMut(Kind, u32) -> u32) {
        let State { session, inbox, records, waiters, last_waiter, .. } = self.state.get_mut();
        assert!(inbox.is_empty(), "rename an engine at rest");
        session.rename(last, &mut |name| rename(Kind::Machine, name));
        session.rename_waiters(&mut |name| rename(Kind::Waiter, name));
        records.rename(last, rename);
        for (waiter, _) in waiters.iter_mut() {
            waiter.0 = rename(Kind::Waiter, waiter.0);
        }
        waiters.sort_unstable_by_key(|(waiter, _)| *waiter);
        last_waiter.0 = last;
    }
}

impl Records {
    fn rename(&mut self, last: u32, rename: &mut dyn FnMut(Kind, u32) -> u32) {
        self.last_id = last;
        for reading in &mut self.reads {
            if let Purpose::Read(read) = &mut reading.purpose {
                read.0 = rename(Kind::Machine, read.0);
            }
            for (load, _) in &mut reading.texts {
                load.id = rename(Kind::Storage, load.id);
            }
        }
        for write in &mut self.writes {
            write.id.0 = rename(Kind::Machine, write.id.0);
            for store in &mut write.stores {
                store.id = rename(Kind::Storage, store.id);
            }
        }
    }
}

impl<H> Clone for Engine<H>
where
    H: Host + Clone,
    H::Entropy: Clone,
    H::Waiter: Clone,
{
    fn clone(&self) -> Self {
        Self {
            host: self.host.clone(),
            state: RefCell::new(self.state.borrow().clone()),
            working: Cell::new(self.working.get()),
            telling: Cell::new(self.telling.get()),
            told_times: self.told_times.clone(),
        }
    }
}

impl<H> Clone for State<H>
where
    H: Host,
    H::Entropy: Clone,
    H::Waiter: Clone,
{
    fn clone(&self) -> Self {
        Self {
            session: self.session.clone(),
            settings: self.settings.clone(),
            inbox: self.inbox.clone(),
            records: self.records.clone(),
            waiters: self.waiters.clone(),
            last_waiter: self.last_waiter,
            last_start: self.last_start,
            claims: self.claims.clone(),
            shown: self.shown.clone(),
            token: self.token.clone(),
            notices: self.notices.clone(),
            closed: self.closed,
        }
    }
}

/// Engines that hash alike behave alike, as long as the hash does not collide.
///
/// What is left out: the host, and so what it has still to do; the settings, which seldom change; the
/// claims, the snapshot that was shown and its token, which follow from the machine at rest; what the
/// log was told.
impl<H> Hash for Engine<H>
where
    H: Host,
    H::Entropy: Hash,
    H::Waiter: Hash,
{
    fn hash<S: Hasher>(&self, hasher: &mut S) {
        // Every field is named, so that a new one cannot be forgotten here.
        let Self { host: _, state, working, telling, told_times: _ } = self;
        let State {
            session,
            settings: _,
            inbox,
            records,
            waiters,
            last_waiter,
            last_start,
            claims: _,
            shown: _,
            token: _,
            notices,
            closed,
        } = &*state.borrow();
        debug_assert!(inbox.is_empty() && notices.is_empty(), "hash an engine at rest");
        (session, records, waiters, last_waiter, last_start, closed).hash(hasher);
        (working.get(), telling.get()).hash(hasher);
    }
}
