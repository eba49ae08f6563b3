//! A host with the least around the engine: one tab, a lock that is free, storage that works.

use std::cell::{Cell, RefCell};

use everfresh::{
    core::{
        clock::{Millis, Now},
        effect::{Lease, Outcome, RefreshRequest},
        entropy::Seeded,
        event::Event,
        ids::{Attempt, Ticket, WaiterId},
        snapshot::Snapshot,
    },
    engine::{
        endpoint::{Exchange, Request},
        host::{Host, Line, Load, Loaded, Notice, Place, Store, Value},
        native::NativeFormats,
    },
};

/// What the engine last wanted, for its owner to look at.
#[derive(Debug)]
pub struct LeanHost {
    /// Both clocks.
    pub now: Cell<Now>,
    /// When it wants to be woken, milliseconds from `now`.
    pub wake_after: Cell<Option<Millis>>,
    /// The lock that it asked for.
    pub lock: Cell<Option<Ticket>>,
    /// The refresh that it sent.
    pub sent: Cell<Option<Attempt>>,
    /// What requests may carry.
    pub lease: RefCell<Option<Lease>>,
    /// Callers that have their answer.
    pub settled: RefCell<Vec<(WaiterId, Outcome)>>,
    /// How often a session ended.
    pub ends: Cell<u32>,
    /// What it told other tabs, if one listens.
    pub said: RefCell<Option<Vec<String>>>,
    record: RefCell<Option<String>>,
}

impl LeanHost {
    /// A host whose clocks show `now`.
    #[must_use]
    pub const fn new(now: Now) -> Self {
        Self {
            now: Cell::new(now),
            wake_after: Cell::new(None),
            lock: Cell::new(None),
            sent: Cell::new(None),
            lease: RefCell::new(None),
            settled: RefCell::new(Vec::new()),
            ends: Cell::new(0),
            said: RefCell::new(None),
            record: RefCell::new(None),
        }
    }

    /// Sees what another tab has stored.
    pub fn share_record_of(&self, other: &Self) {
        self.record.borrow_mut().clone_from(&other.record.borrow());
    }
}

impl Host for LeanHost {
    type Formats = NativeFormats;
    type Entropy = Seeded;
    type Waiter = WaiterId;

    fn now(&self) -> Now {
        self.now.get()
    }

    fn wake_after(&self, delay: Option<Millis>) {
        self.wake_after.set(delay);
    }

    fn load(&self, _load: Load) -> Option<Loaded> {
        let text = self.record.borrow().clone();
        Some(text.map_or(Loaded::Nothing, Loaded::Text))
    }

    fn store(&self, _store: Store, text: &str) -> Option<bool> {
        *self.record.borrow_mut() = Some(text.to_owned());
        Some(true)
    }

    fn remove(&self, _place: Place) {
        *self.record.borrow_mut() = None;
    }

    fn set_aside(&self, _place: Place, _text: &str) {}

    fn request_lock(&self, ticket: Ticket) {
        self.lock.set(Some(ticket));
    }

    fn release_lock(&self, _ticket: Ticket) {}

    fn broadcast(&self, text: &str) {
        if let Some(said) = &mut *self.said.borrow_mut() {
            said.push(text.to_owned());
        }
    }

    fn send(&self, exchange: Exchange, _request: Request) {
        if let Exchange::Refresh(attempt) = exchange {
            self.sent.set(Some(attempt));
        }
    }

    fn call(&self, attempt: Attempt, _request: RefreshRequest) {
        self.sent.set(Some(attempt));
    }

    fn abort(&self, _attempt: Attempt) {
        self.sent.set(None);
    }

    fn lead(&self, _claims: Option<&Value<Self>>) -> Option<Millis> {
        None
    }

    fn settle(&self, waiter: WaiterId, outcome: Outcome) {
        self.settled.borrow_mut().push((waiter, outcome));
    }

    fn lease(&self, lease: Option<Lease>) {
        *self.lease.borrow_mut() = lease;
    }

    fn show(&self, _snapshot: &Snapshot, _claims: Option<&Value<Self>>) {}

    fn notify(&self, notice: &Notice) {
        if let Notice::Event(Event::SignedOut { .. }, _) = notice {
            self.ends.set(self.ends.get() + 1);
        }
    }

    fn log(&self, _line: Line) {}

    fn close(&self) {}
}
