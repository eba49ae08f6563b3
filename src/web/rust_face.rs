//! The other side of the engine for front ends in Rust.

use core::{any::Any, future::Future, pin::Pin, ptr};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

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
pub(super) type RefreshFunction =
    Rc<dyn Fn(RefreshRequest, Option<AbortSignal>) -> Pin<Box<dyn Future<Output = Called>>>>;

/// What an application has brought along.
#[derive(Default)]
pub(super) struct Hooks {
    pub(super) refresh: Option<RefreshFunction>,
    /// As `fetch`, for the token endpoint.
    pub(super) transport: Option<Function>,
    pub(super) lead: Option<Rc<dyn Fn(JsValue) -> Option<Millis>>>,
    pub(super) log: Option<Rc<dyn Fn(Line)>>,
    /// Both tokens are cookies that no script sees; what is made here stands for them.
    pub(super) stand_in: Option<fn() -> String>,
    /// How requests are sent: an `OwnFetch`, of which nothing is known here.
    pub(super) fetch: Option<Rc<dyn Any>>,
}

type HooksOf = (*const RustFace, Rc<Hooks>);

thread_local! {
    // Beside the faces, so that those without hooks have nothing to drop.
    static HOOKS: RefCell<Vec<HooksOf>> = const { RefCell::new(Vec::new()) };
    // Where nothing sets it the optimiser knows what it is, and drops whatever hooks need.
    static HOOKED: Cell<bool> = const { Cell::new(false) };
}

/// Some session has hooks.
pub(super) fn expect_hooks() {
    HOOKED.set(true);
}

/// Whether one may.
pub(super) fn may_be_hooked() -> bool {
    HOOKED.get()
}

type SnapshotListener = Rc<RefCell<dyn FnMut(&Snapshot)>>;
type EventListener = Rc<RefCell<dyn FnMut(&Event, Millis)>>;

/// Tells listeners in Rust.
#[derive(Default)]
pub(crate) struct RustFace {
    lease: RefCell<Option<Lease>>,
    shown: RefCell<Snapshot>,
    snapshots: RefCell<Listeners<SnapshotListener>>,
    events: RefCell<Listeners<EventListener>>,
    pub(super) refusals: RefCell<Refusals>,
    /// The only ones that get the token; without, the page's own.
    pub(super) origins: RefCell<Option<Vec<String>>>,
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
    /// Newer ones win.
    pub(super) fn hook(&self, hooks: Option<Rc<Hooks>>) {
        if !may_be_hooked() {
            return;
        }
        let before = HOOKS.with_borrow_mut(|all| {
            let at = all.iter().position(|(face, _)| ptr::eq(*face, self));
            let before = at.map(|at| all.swap_remove(at));
            all.extend(hooks.map(|hooks| (ptr::from_ref(self), hooks)));
            before
        });
        // What it held may call anything when it is dropped.
        drop(before);
    }

    fn hooked<T>(&self, hook: impl FnOnce(&Hooks) -> Option<T>) -> Option<T> {
        if !may_be_hooked() {
            return None;
        }
        HOOKS.with_borrow(|all| {
            let (_, hooks) = all.iter().find(|(face, _)| ptr::eq(*face, self))?;
            hook(hooks)
        })
    }

    /// How requests are sent, if not in the usual way.
    pub(super) fn own_fetch(&self) -> Option<Rc<dyn Any>> {
        self.hooked(|hooks| hooks.fetch.clone())
    }

    /// What stands for cookies, where no script sees a token.
    pub(super) fn stand_in(&self) -> Option<String> {
        self.hooked(|hooks| hooks.stand_in).map(|stand_in| stand_in())
    }

    /// No script sees a token.
    pub(super) fn has_cookies(&self) -> bool {
        self.hooked(|hooks| hooks.stand_in).is_some()
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

    pub(super) fn on_event(&self, listener: impl FnMut(&Event, Millis) + 'static) -> u32 {
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

impl Drop for RustFace {
    fn drop(&mut self) {
        self.hook(None);
    }
}

impl Face for RustFace {
    type Waiter = Slot;

    fn fetch(&self) -> Option<Function> {
        self.hooked(|hooks| hooks.transport.clone())
    }

    fn lead(&self, claims: Option<&JsValue>) -> Option<Millis> {
        let lead = self.hooked(|hooks| hooks.lead.clone())?;
        lead(claims.cloned().unwrap_or(JsValue::NULL))
    }

    fn call(&self, request: RefreshRequest, signal: Option<AbortSignal>, ended: Ended) {
        let refresh = self.hooked(|hooks| hooks.refresh.clone());
        let Some(refresh) = refresh else {
            return ended(Called::Failed { terminal: false }, None);
        };
        let called = refresh(request, signal);
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
            Notice::Event(event, at) => {
                self.refusals.borrow_mut().hear(event);
                let all = self.events.borrow().all();
                for (number, listener) in all {
                    if self.events.borrow().knows(number) {
                        (listener.borrow_mut())(event, *at);
                    }
                }
            }
        }
    }

    fn log(&self, line: Line) {
        if let Some(log) = self.hooked(|hooks| hooks.log.clone()) {
            log(line);
        }
    }
}
