//! The other side of the engine for front ends in Rust.

use core::{future::Future, pin::Pin};
use std::{cell::RefCell, rc::Rc};

use js_sys::Function;
use wasm_bindgen::JsValue;
use web_sys::AbortSignal;

use super::{
    answer::Slot,
    face::{Cause, Ended, Face},
    refusals::Refusals,
};
use crate::{
    core::{
        clock::Millis,
        effect::{Lease, Outcome, RefreshRequest},
        event::Event,
        snapshot::Snapshot,
    },
    engine::{
        Called,
        host::{Line, Notice},
    },
};

/// An application's own way to get new tokens.
pub(crate) type RefreshFunction =
    Box<dyn Fn(RefreshRequest) -> Pin<Box<dyn Future<Output = Called>>>>;

type SnapshotListener = Rc<RefCell<dyn FnMut(&Snapshot)>>;
type EventListener = Rc<RefCell<dyn FnMut(&Event)>>;

/// Tells listeners in Rust.
#[derive(Default)]
pub(crate) struct RustFace {
    refresh: Option<RefreshFunction>,
    lease: RefCell<Option<Lease>>,
    shown: RefCell<Snapshot>,
    snapshots: RefCell<Listeners<SnapshotListener>>,
    events: RefCell<Listeners<EventListener>>,
    pub(super) refusals: RefCell<Refusals>,
}

/// Listeners by number.
struct Listeners<T> {
    last: u32,
    listeners: Vec<(u32, T)>,
}

impl<T> Default for Listeners<T> {
    fn default() -> Self {
        Self { last: 0, listeners: Vec::new() }
    }
}

impl<T: Clone> Listeners<T> {
    fn add(&mut self, listener: T) -> u32 {
        self.last += 1;
        self.listeners.push((self.last, listener));
        self.last
    }

    fn remove(&mut self, number: u32) -> Option<T> {
        let at = self.listeners.iter().position(|(known, _)| *known == number)?;
        Some(self.listeners.remove(at).1)
    }

    fn all(&self) -> Vec<(u32, T)> {
        self.listeners.clone()
    }

    fn knows(&self, number: u32) -> bool {
        self.listeners.iter().any(|(known, _)| *known == number)
    }
}

impl RustFace {
    pub(super) fn with_refresh(refresh: RefreshFunction) -> Self {
        Self { refresh: Some(refresh), ..Self::default() }
    }

    /// How the session looks.
    pub(super) fn snapshot(&self) -> Snapshot {
        self.shown.borrow().clone()
    }

    /// The token that may be used unasked at this wall-clock time.
    pub(super) fn usable_lease(&self, wall: Millis) -> Option<Lease> {
        let lease = self.lease.borrow();
        lease.clone().filter(|lease| (lease.from..lease.until).contains(&wall))
    }

    pub(super) fn on_snapshot(&self, listener: impl FnMut(&Snapshot) + 'static) -> u32 {
        self.snapshots.borrow_mut().add(Rc::new(RefCell::new(listener)))
    }

    pub(super) fn on_event(&self, listener: impl FnMut(&Event) + 'static) -> u32 {
        self.events.borrow_mut().add(Rc::new(RefCell::new(listener)))
    }

    /// Forgets a listener. What it holds is dropped when nothing is borrowed any more.
    pub(super) fn forget_snapshot(&self, number: u32) {
        let listener = self.snapshots.borrow_mut().remove(number);
        drop(listener);
    }

    /// As [`forget_snapshot`](Self::forget_snapshot).
    pub(super) fn forget_event(&self, number: u32) {
        let listener = self.events.borrow_mut().remove(number);
        drop(listener);
    }
}

impl Face for RustFace {
    type Waiter = Slot;

    fn fetch(&self) -> Option<Function> {
        None
    }

    fn lead(&self, _claims: Option<&JsValue>) -> Option<Millis> {
        None
    }

    fn call(&self, request: RefreshRequest, _signal: Option<AbortSignal>, ended: Ended) {
        let Some(refresh) = &self.refresh else {
            return ended(Called::Failed { terminal: false }, None);
        };
        let called = refresh(request);
        wasm_bindgen_futures::spawn_local(async move { ended(called.await, None) });
    }

    fn settle(&self, waiter: Slot, outcome: Outcome, _cause: &Cause) {
        waiter.settle(outcome);
    }

    fn lease(&self, lease: Option<Lease>) {
        if let Some(lease) = &lease {
            self.refusals.borrow_mut().leased(lease.id);
        }
        *self.lease.borrow_mut() = lease;
    }

    fn show(&self, snapshot: &Snapshot, _claims: Option<&JsValue>, _cause: &Cause) {
        *self.shown.borrow_mut() = snapshot.clone();
    }

    fn notify(&self, notice: &Notice, _cause: &Cause) {
        match notice {
            Notice::Snapshot => {
                let snapshot = self.snapshot();
                let all = self.snapshots.borrow().all();
                for (number, listener) in all {
                    // An earlier one may have removed it.
                    if self.snapshots.borrow().knows(number) {
                        (listener.borrow_mut())(&snapshot);
                    }
                }
            }
            Notice::Event(event, _) => {
                self.refusals.borrow_mut().hear(event);
                let all = self.events.borrow().all();
                for (number, listener) in all {
                    if self.events.borrow().knows(number) {
                        (listener.borrow_mut())(event);
                    }
                }
            }
        }
    }

    /// Front ends in Rust have no log option: what matters are events.
    fn log(&self, _line: Line) {}
}
