//! The engine's host on the Web: puts the adapters together.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use gloo_timers::callback::Timeout;
use wasm_bindgen::JsValue;
use web_sys::AbortController;

use super::{
    channel::Channel,
    clock::{self, Crypto},
    face::{Cause, Face},
    formats::WebFormats,
    lock::Lock,
    page::{Page, PageEvent},
    storage::Places,
    transport,
};
use crate::{
    core::{
        clock::{Millis, Now},
        effect::{Lease, Outcome, RefreshRequest},
        ids::{Attempt, Ticket},
        input::{Input, Wake},
        snapshot::Snapshot,
    },
    engine::{
        Engine, Settings,
        endpoint::{Exchange, Request},
        host::{Host, Line, Load, Loaded, Notice, Place, Store},
    },
};

#[cfg(feature = "web")]
use crate::engine::endpoint::Refused;

/// An engine of the Web.
pub(crate) type WebEngine<F> = Engine<WebHost<F>>;

/// The platform of one session.
pub(crate) struct WebHost<F: Face> {
    /// The application.
    pub(crate) face: F,
    /// Names the channel, the lock and the record in storage.
    key: String,
    engine: Weak<WebEngine<F>>,
    /// Whether no tab shares the session: then there is no other tab to talk to or to wait for.
    alone: Cell<bool>,
    activity_events: Cell<Vec<String>>,
    places: Cell<Places>,
    timer: Cell<Option<Timeout>>,
    page: Cell<Option<Page>>,
    channel: Cell<Option<Rc<Channel>>>,
    locks: RefCell<Vec<(Ticket, Lock)>>,
    refreshes: RefCell<Vec<(Attempt, Option<AbortController>)>>,
    /// What the last refresh failed of.
    cause: Cell<Cause>,
}

/// A session of a name; nothing happens before it is told to.
pub(crate) fn open<F: Face>(face: F, name: &str, settings: Settings) -> Rc<WebEngine<F>> {
    Rc::new_cyclic(|engine| {
        let host = WebHost {
            face,
            key: "everfresh:".to_owned() + name,
            engine: Weak::clone(engine),
            alone: Cell::default(),
            activity_events: Cell::default(),
            places: Cell::default(),
            timer: Cell::default(),
            page: Cell::default(),
            channel: Cell::default(),
            locks: RefCell::default(),
            refreshes: RefCell::default(),
            cause: Cell::default(),
        };
        Engine::new(host, Crypto, settings)
    })
}

impl<F: Face> WebHost<F> {
    /// Uses another place of the application's, and other events that count as user input.
    pub(crate) fn configure(&self, activity_events: Vec<String>, custom: Option<JsValue>) {
        self.places.set(Places { custom });
        self.activity_events.set(activity_events);
        let listens = self.page.take().is_some();
        if listens {
            self.listen();
        }
    }

    /// No other tab shares the session, or may.
    pub(crate) fn set_alone(&self, alone: bool) {
        self.alone.set(alone);
    }

    /// Listens to the page and to the other tabs from now on.
    pub(crate) fn listen(&self) {
        let page = self.page.take().unwrap_or_else(|| {
            let engine = Weak::clone(&self.engine);
            let tell = move |event| {
                if let Some(engine) = engine.upgrade() {
                    engine.host.happened(&engine, event);
                }
            };
            Page::listen(&look(&self.activity_events), &self.key, tell)
        });
        self.page.set(Some(page));
        if look(&self.channel).is_none() && !self.alone.get() {
            let engine = Weak::clone(&self.engine);
            let deliver = move |text: &str| {
                if let Some(engine) = engine.upgrade() {
                    engine.heard(text);
                }
            };
            self.channel.set(Channel::open(&self.key, deliver).map(Rc::new));
        }
    }

    fn happened(&self, engine: &WebEngine<F>, event: PageEvent) {
        let input = match event {
            PageEvent::RecordChanged => return engine.record_changed(),
            PageEvent::Activity => Input::Activity,
            PageEvent::Online(online) => Input::Online(online),
            PageEvent::Leaving => Input::Leaving,
            PageEvent::Visible => Input::Woken(Wake::Visible),
            PageEvent::Resumed => Input::Woken(Wake::Resumed),
        };
        match input {
            Input::Woken(_) => self.listen(),
            // No event says that the page itself has cleared its storage.
            Input::Leaving => engine.record_changed(),
            _ => {}
        }
        engine.feed(input);
        if event == PageEvent::Leaving {
            self.channel.take();
        }
    }

    /// What went wrong before is not what comes now.
    pub(crate) fn forget_cause(&self) {
        self.cause.take();
    }

    /// What the endpoint answered to the last refresh, if that brought no tokens.
    #[cfg(feature = "web")]
    pub(super) fn refused(&self) -> Option<Refused> {
        self.cause().refused
    }

    fn cause(&self) -> Cause {
        look(&self.cause)
    }

    fn places(&self) -> Places {
        look(&self.places)
    }

    fn begin(&self, attempt: Attempt) -> Option<AbortController> {
        let controller = AbortController::new().ok();
        self.refreshes.borrow_mut().push((attempt, controller.clone()));
        controller
    }

    /// Whether the answer to a refresh is still wanted; what was thrown is kept as the cause.
    fn end(&self, attempt: Attempt, thrown: Option<JsValue>) -> bool {
        let wanted = take(&self.refreshes, attempt).is_some();
        if wanted {
            self.cause.set(Cause { thrown, refused: None });
        }
        wanted
    }
}

impl<F: Face> Host for WebHost<F> {
    type Formats = WebFormats;
    type Entropy = Crypto;
    type Waiter = F::Waiter;

    fn now(&self) -> Now {
        clock::now()
    }

    fn wake_after(&self, delay: Option<Millis>) {
        let timer = delay.map(|delay| {
            let engine = Weak::clone(&self.engine);
            Timeout::new(delay as u32, move || {
                if let Some(engine) = engine.upgrade() {
                    engine.wake();
                }
            })
        });
        self.timer.replace(timer);
    }

    fn load(&self, load: Load) -> Option<Loaded> {
        let engine = self.engine.upgrade();
        self.places().load(load.place, &self.key, move |loaded| {
            engine.iter().for_each(|engine| engine.loaded(load, loaded.clone()));
        })
    }

    fn store(&self, store: Store, text: &str) -> Option<bool> {
        // What was signed out must not come back: what is being stored outlives the session.
        let engine = self.engine.upgrade();
        self.places().store(store.place, &self.key, text, move |works| {
            engine.iter().for_each(|engine| engine.stored(store, works));
        })
    }

    fn remove(&self, place: Place) {
        self.places().remove(place, &self.key);
    }

    fn set_aside(&self, place: Place, text: &str) {
        let key = self.key.clone() + ":set-aside";
        self.places().store(place, &key, text, |_| {});
    }

    fn request_lock(&self, ticket: Ticket) {
        let engine = Weak::clone(&self.engine);
        if self.alone.get() {
            engine.upgrade().iter().for_each(|engine| engine.feed(Input::LockGranted(ticket)));
            return;
        }
        let lock = Lock::request(&self.key, move |held| {
            let input =
                if held { Input::LockGranted(ticket) } else { Input::LockUnavailable(ticket) };
            if let Some(engine) = engine.upgrade() {
                if !held {
                    engine.host.release_lock(ticket);
                }
                engine.feed(input);
            }
        });
        self.locks.borrow_mut().extend(lock.map(|lock| (ticket, lock)));
    }

    fn release_lock(&self, ticket: Ticket) {
        // Dropped when nothing is borrowed: that gives it back.
        drop(take(&self.locks, ticket));
    }

    fn broadcast(&self, text: &str) {
        look(&self.channel).iter().for_each(|channel| channel.post(text));
    }

    fn send(&self, exchange: Exchange, request: Request) {
        let controller = match exchange {
            Exchange::Refresh(attempt) => self.begin(attempt),
            Exchange::Revoke(_) => None,
        };
        let engine = self.engine.upgrade();
        let signal = controller.map(|controller| controller.signal());
        transport::send(self.face.fetch(), &request, signal.as_ref(), move |result| {
            let Some(engine) = engine else { return };
            let (response, thrown) = match result {
                Ok(response) => (Some(response), None),
                Err(thrown) => (None, Some(thrown)),
            };
            let wanted = match exchange {
                Exchange::Refresh(attempt) => engine.host.end(attempt, thrown),
                Exchange::Revoke(_) => true,
            };
            if wanted {
                engine.responded(exchange, response);
            }
        });
    }

    fn call(&self, attempt: Attempt, request: RefreshRequest) {
        let signal = self.begin(attempt).map(|controller| controller.signal());
        let engine = Weak::clone(&self.engine);
        let ended = move |called, thrown| {
            if let Some(engine) = engine.upgrade()
                && engine.host.end(attempt, thrown)
            {
                engine.called(attempt, called);
            }
        };
        self.face.call(request, signal, Box::new(ended));
    }

    fn abort(&self, attempt: Attempt) {
        let refresh = take(&self.refreshes, attempt);
        // What went wrong before is not what this one failed of.
        self.forget_cause();
        if let Some(Some(controller)) = refresh {
            controller.abort();
        }
    }

    fn lead(&self, claims: Option<&JsValue>) -> Option<Millis> {
        self.face.lead(claims)
    }

    fn settle(&self, waiter: F::Waiter, outcome: Outcome) {
        self.face.settle(waiter, outcome, &self.cause());
    }

    fn lease(&self, lease: Option<Lease>) {
        self.face.lease(lease);
    }

    fn show(&self, snapshot: &Snapshot, claims: Option<&JsValue>) {
        self.face.show(snapshot, claims, &self.cause());
    }

    fn notify(&self, notice: &Notice) {
        self.face.notify(notice, &self.cause());
    }

    fn log(&self, line: Line) {
        if let Line::Refused(refused) = &line {
            self.cause.set(Cause { refused: Some(refused.clone()), ..self.cause.take() });
        }
        self.face.log(line);
    }

    fn close(&self) {
        self.timer.take();
        self.page.take();
        self.channel.take();
        let refreshes = self.refreshes.take();
        for controller in refreshes.into_iter().filter_map(|(_, controller)| controller) {
            controller.abort();
        }
        self.locks.take();
    }
}

/// A copy of what is in a cell.
fn look<T: Clone + Default>(cell: &Cell<T>) -> T {
    let value = cell.take();
    cell.set(value.clone());
    value
}

/// Takes out what is kept under a number.
fn take<K: PartialEq, T>(kept: &RefCell<Vec<(K, T)>>, number: K) -> Option<T> {
    let mut kept = kept.borrow_mut();
    let at = kept.iter().position(|(known, _)| *known == number)?;
    Some(kept.swap_remove(at).1)
}
