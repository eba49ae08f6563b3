//! A host without a platform: what the engine wants done is queued, for a test or a simulation to do.

use core::mem;
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
};

use super::{
    endpoint::{Exchange, Request},
    host::{Host, Line, Load, Loaded, Notice, Place, Store, Value},
    native::NativeFormats,
};
use crate::core::{
    clock::{Millis, Now},
    effect::{Attempt, Lease, Outcome, RefreshRequest, Ticket, WaiterId},
    entropy::Entropy,
    event::Event,
    snapshot::Snapshot,
};

/// Time is what [`set_now`](Self::set_now) says; nothing happens but what the owner makes happen.
#[derive(Clone, Debug)]
pub struct VirtualHost<E> {
    now: Cell<Now>,
    wants: RefCell<VecDeque<Want>>,
    entropy: core::marker::PhantomData<E>,
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
    /// The engine is disposed of.
    Close,
}

/// A text that may hold a token: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Text(pub String);

impl<E> VirtualHost<E> {
    /// A host whose clocks show `now`.
    #[must_use]
    pub const fn new(now: Now) -> Self {
        Self {
            now: Cell::new(now),
            wants: RefCell::new(VecDeque::new()),
            entropy: core::marker::PhantomData,
        }
    }

    /// Sets both clocks.
    pub fn set_now(&self, now: Now) {
        self.now.set(now);
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

impl<E: Entropy> Host for VirtualHost<E> {
    type Formats = NativeFormats;
    type Entropy = E;
    type Waiter = WaiterId;

    fn now(&self) -> Now {
        self.now.get()
    }

    /// Ask the engine for its deadline instead.
    fn wake_after(&self, _delay: Option<Millis>) {}

    fn load(&self, load: Load) -> Option<Loaded> {
        self.want(Want::Load(load));
        None
    }

    fn store(&self, store: Store, text: &str) -> Option<bool> {
        self.want(Want::Store(store, Text(text.to_owned())));
        None
    }

    fn remove(&self, place: Place) {
        self.want(Want::Remove(place));
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

    fn show(&self, _snapshot: &Snapshot, _claims: Option<&Value<Self>>) {}

    fn notify(&self, notice: &Notice) {
        if let Notice::Event(event, _) = notice {
            self.want(Want::Event(event.clone()));
        }
    }

    fn log(&self, _line: Line) {}

    fn close(&self) {
        self.want(Want::Close);
    }
}

impl core::fmt::Debug for Text {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Text(..)")
    }
}
