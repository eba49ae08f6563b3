//! A host without a platform: what the engine wants done is queued, for a test or a simulation to do.

use core::mem;
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    sync::Arc,
};

use super::{
    endpoint::{Exchange, Request},
    host::{Host, Line, Load, Loaded, Notice, Place, Store, Value},
    native::NativeFormats,
};
use crate::core::{
    clock::{Millis, Now},
    effect::{Lease, Outcome, RefreshRequest},
    entropy::Entropy,
    event::Event,
    ids::{Attempt, Ticket, WaiterId},
    snapshot::Snapshot,
};

/// Time is what [`set_now`](Self::set_now) says; nothing happens but what the owner makes happen, and
/// what storage does in the same breath.
#[derive(Clone, Debug)]
pub struct VirtualHost<E, P = ()> {
    now: Cell<Now>,
    read: Cell<bool>,
    wants: RefCell<VecDeque<Want>>,
    shown: RefCell<Shown>,
    places: P,
    entropy: core::marker::PhantomData<E>,
}

/// Storage that answers in the same breath, as a browser's own does. What it leaves to the owner
/// becomes a [`Want`].
pub trait Places {
    /// The text at a place; `None` leaves it to the owner.
    fn load(&self, place: Place) -> Option<Loaded>;

    /// Stores a text, and says whether that worked; `None` leaves it to the owner.
    fn store(&self, place: Place, text: &str) -> Option<bool>;

    /// Removes the text at a place; `false` leaves it to the owner.
    fn remove(&self, place: Place) -> bool;
}

/// Leaves everything to the owner.
impl Places for () {
    fn load(&self, _place: Place) -> Option<Loaded> {
        None
    }

    fn store(&self, _place: Place, _text: &str) -> Option<bool> {
        None
    }

    fn remove(&self, _place: Place) -> bool {
        false
    }
}

/// One thing that the engine wants done, as the methods of [`Host`] say it.
#[derive(Clone, Debug, PartialEq)]
pub enum Want {
    /// Answer with `Engine::loaded`.
    Load(Load),
    /// Answer with `Engine::stored`.
    Store(Store, Text),
    /// Remove the text at a place.
    Remove(Place),
    /// Move a text that is no record out of the way.
    SetAside(Place, Text),
    /// Answer with `Input::LockGranted` or `Input::LockUnavailable`.
    RequestLock(Ticket),
    /// Give the lock back, or stop waiting for it.
    ReleaseLock(Ticket),
    /// Tell the other tabs; they take it with `Engine::heard`.
    Broadcast(Text),
    /// Answer with `Engine::responded`.
    Send(Exchange, Request),
    /// Answer with `Engine::called`.
    Call(Attempt, RefreshRequest),
    /// The answer to a refresh is no longer wanted.
    Abort(Attempt),
    /// A caller has its answer.
    Settle(WaiterId, Outcome),
    /// Requests may carry another token.
    Lease(Option<Lease>),
    /// Observers are told.
    Event(Event),
    /// The application's log gets a line.
    Log(Line),
    /// The engine is disposed of.
    Close,
}

/// What the page is shown, for a test to look at.
#[derive(Clone, Debug)]
pub struct Shown {
    /// How often it was shown something new.
    pub times: u32,
    /// How often observers were told to look.
    pub told: u32,
    /// The newest snapshot, once there is one.
    pub snapshot: Option<Snapshot>,
    /// The claims shown with it.
    pub claims: Option<Arc<serde_json::Value>>,
}

/// A text that may hold a token: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Text(pub String);

impl<E> VirtualHost<E> {
    /// A host whose clocks show `now`.
    #[must_use]
    pub fn new(now: Now) -> Self {
        Self::with_places(now, ())
    }
}

impl<E, P> VirtualHost<E, P> {
    /// The same, with storage that may answer in the same breath.
    #[must_use]
    pub const fn with_places(now: Now, places: P) -> Self {
        Self {
            now: Cell::new(now),
            read: Cell::new(false),
            wants: RefCell::new(VecDeque::new()),
            shown: RefCell::new(Shown { times: 0, told: 0, snapshot: None, claims: None }),
            places,
            entropy: core::marker::PhantomData,
        }
    }

    /// Sets both clocks.
    pub fn set_now(&self, now: Now) {
        self.now.set(now);
        self.read.set(false);
    }

    /// Whether the engine has read the clocks since they were set. If not, it has not called its machine:
    /// what storage answers may be for the queue of writes alone.
    #[must_use]
    pub fn was_read(&self) -> bool {
        self.read.get()
    }

    /// What the page is shown.
    #[must_use]
    pub fn shown(&self) -> Shown {
        self.shown.borrow().clone()
    }

    /// The next thing to do, in order.
    pub fn next(&self) -> Option<Want> {
        self.wants.borrow_mut().pop_front()
    }

    /// All that is to be done, in order.
    pub fn take(&self) -> VecDeque<Want> {
        mem::take(&mut *self.wants.borrow_mut())
    }

    fn want(&self, want: Want) {
        self.wants.borrow_mut().push_back(want);
    }
}

impl<E: Entropy, P: Places> Host for VirtualHost<E, P> {
    type Formats = NativeFormats;
    type Entropy = E;
    type Waiter = WaiterId;

    fn now(&self) -> Now {
        self.read.set(true);
        self.now.get()
    }

    /// Ask the engine for its deadline instead.
    fn wake_after(&self, _delay: Option<Millis>) {}

    fn load(&self, load: Load) -> Option<Loaded> {
        let loaded = self.places.load(load.place);
        if loaded.is_none() {
            self.want(Want::Load(load));
        }
        loaded
    }

    fn store(&self, store: Store, text: &str) -> Option<bool> {
        let works = self.places.store(store.place, text);
        if works.is_none() {
            self.want(Want::Store(store, Text(text.to_owned())));
        }
        works
    }

    fn remove(&self, place: Place) {
        if !self.places.remove(place) {
            self.want(Want::Remove(place));
        }
    }

    fn set_aside(&self, place: Place, text: &str) {
        self.want(Want::SetAside(place, Text(text.to_owned())));
    }

    fn request_lock(&self, ticket: Ticket) {
        self.want(Want::RequestLock(ticket));
    }

    fn release_lock(&self, ticket: Ticket) {
        self.want(Want::ReleaseLock(ticket));
    }

    fn broadcast(&self, text: &str) {
        self.want(Want::Broadcast(Text(text.to_owned())));
    }

    fn send(&self, exchange: Exchange, request: Request) {
        self.want(Want::Send(exchange, request));
    }

    fn call(&self, attempt: Attempt, request: RefreshRequest) {
        self.want(Want::Call(attempt, request));
    }

    fn abort(&self, attempt: Attempt) {
        self.want(Want::Abort(attempt));
    }

    fn lead(&self, _claims: Option<&Value<Self>>) -> Option<Millis> {
        None
    }

    fn settle(&self, waiter: WaiterId, outcome: Outcome) {
        self.want(Want::Settle(waiter, outcome));
    }

    fn lease(&self, lease: Option<Lease>) {
        self.want(Want::Lease(lease));
    }

    fn show(&self, snapshot: &Snapshot, claims: Option<&Value<Self>>) {
        let mut shown = self.shown.borrow_mut();
        shown.times += 1;
        shown.snapshot = Some(snapshot.clone());
        shown.claims = claims.cloned();
    }

    fn notify(&self, notice: &Notice) {
        match notice {
            Notice::Event(event, _) => self.want(Want::Event(event.clone())),
            Notice::Snapshot => self.shown.borrow_mut().told += 1,
        }
    }

    fn log(&self, line: Line) {
        self.want(Want::Log(line));
    }

    fn close(&self) {
        self.want(Want::Close);
    }
}

impl core::fmt::Debug for Text {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Text(..)")
    }
}
