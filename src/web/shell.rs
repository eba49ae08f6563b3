//! The loop around the machine.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    mem,
    rc::{Rc, Weak},
};

use gloo_timers::callback::Timeout;

use super::{
    channel::Channel,
    clock,
    entropy::Crypto,
    events,
    face::Face,
    handle::{Callback, Running, callback},
    lock,
    options::Options,
    storage::{Callbacks, Storage},
    timer, transport,
};
use crate::core::{
    effect::{Attempt, Effect, RevokeId, Ticket},
    input::{Input, Wake},
    session::Session,
    snapshot::Snapshot,
    stats::Stats,
};

/// One session in this realm: feeds the machine and does what it asks for.
///
/// Whatever happens becomes an [`Input`]. While one is being worked off, others queue: nothing
/// that is called on the way, and no promise that settles later, ever meets a borrowed machine.
pub(crate) struct Shell {
    face: Face,
    name: String,
    session: RefCell<Session<Crypto>>,
    inbox: RefCell<VecDeque<Input>>,
    draining: Cell<bool>,
    options: RefCell<Options>,
    shown: RefCell<Option<Snapshot>>,
    claims: RefCell<Option<String>>,
    storage: Storage,
    timer: RefCell<Option<Timeout>>,
    listening: RefCell<Option<Running>>,
    channel: RefCell<Option<Channel>>,
    lock: RefCell<Option<(Ticket, Running)>>,
    flight: RefCell<Option<(Attempt, Running)>>,
    revocation: RefCell<Option<(RevokeId, Running)>>,
    callbacks: Heard,
    own: Weak<Self>,
}

/// Who hears of the answers of the platform.
struct Heard {
    event: Callback,
    message: Callback,
    lock: Callback,
    answer: Callback,
    revoked: Callback,
}

impl Shell {
    /// A session that has not begun: it listens to nothing and holds nothing open.
    pub(crate) fn new(face: Face, name: &str, options: Options) -> Rc<Self> {
        let name = ["everfresh:", name].concat();
        Rc::new_cyclic(|own| {
            let storage = Storage::new(&name, storage_callbacks(own));
            storage.use_places(&options.storage);
            Self {
                face,
                session: Session::new(options.policy.clone(), Crypto::new(), clock::now()).into(),
                inbox: RefCell::default(),
                draining: Cell::default(),
                options: options.into(),
                shown: RefCell::default(),
                claims: RefCell::default(),
                storage,
                timer: RefCell::default(),
                listening: RefCell::default(),
                channel: RefCell::default(),
                lock: RefCell::default(),
                flight: RefCell::default(),
                revocation: RefCell::default(),
                callbacks: Heard::new(own),
                own: own.clone(),
                name,
            }
        })
    }

    pub(crate) const fn face(&self) -> &Face {
        &self.face
    }

    /// Newer options win.
    pub(crate) fn set_options(&self, options: Options) {
        self.session.borrow_mut().set_policy(options.policy.clone());
        self.storage.use_places(&options.storage);
        *self.options.borrow_mut() = options;
        if self.listening.take().is_some() {
            self.listen();
        }
    }

    /// Begins to listen to the page and to other tabs; once is enough.
    pub(crate) fn listen(&self) {
        if self.listening.borrow().is_none() {
            let options = self.options.borrow();
            let running =
                events::listen(&options.activity_events, &self.name, &self.callbacks.event);
            *self.listening.borrow_mut() = Some(running);
        }
        if self.channel.borrow().is_none() {
            *self.channel.borrow_mut() = Channel::open(&self.name, &self.callbacks.message);
        }
    }

    /// Takes an input in and does all that follows from it, or leaves that to the loop that runs.
    pub(crate) fn feed(&self, input: Input) {
        self.inbox.borrow_mut().push_back(input);
        if self.draining.replace(true) {
            return;
        }
        while let Some(input) = self.next_input() {
            let disposed = matches!(input, Input::Dispose);
            self.session.borrow_mut().handle(input, clock::now());
            while let Some(effect) = self.next_effect() {
                self.perform(effect);
            }
            if disposed {
                self.close();
            }
        }
        self.arm();
        self.draining.set(false);
        self.show();
        self.face.rest();
    }

    /// Reads the counters.
    pub(crate) fn stats<T>(&self, read: impl FnOnce(&Stats) -> T) -> T {
        read(self.session.borrow().stats())
    }

    fn next_input(&self) -> Option<Input> {
        self.inbox.borrow_mut().pop_front()
    }

    fn next_effect(&self) -> Option<Effect> {
        self.session.borrow_mut().poll()
    }

    fn perform(&self, effect: Effect) {
        let endpoint = || self.options.borrow().endpoint.clone();
        match effect {
            Effect::SendRefresh { attempt, request } => {
                let running =
                    transport::refresh(&endpoint(), attempt, &request, &self.callbacks.answer);
                *self.flight.borrow_mut() = Some((attempt, running));
            }
            Effect::AbortRefresh(attempt) => drop_if(&self.flight, attempt),
            Effect::AcquireLock(ticket) => {
                let running = lock::request(&self.name, ticket, &self.callbacks.lock);
                *self.lock.borrow_mut() = Some((ticket, running));
            }
            Effect::ReleaseLock(ticket) => drop_if(&self.lock, ticket),
            Effect::Read(read) => self.storage.read(read),
            Effect::Write { write, record } => self.storage.write(write, record),
            Effect::Forget => self.storage.forget(),
            Effect::Broadcast(text) => {
                if let Some(channel) = &*self.channel.borrow() {
                    channel.post(&text);
                }
            }
            Effect::Settle { waiter, outcome } => self.face.settle(waiter, &outcome),
            Effect::Lease(lease) => self.face.lease(lease.as_ref()),
            Effect::Revoke { revoke, request } => {
                let running =
                    transport::revoke(&endpoint(), revoke, &request, &self.callbacks.revoked);
                *self.revocation.borrow_mut() = Some((revoke, running));
            }
            Effect::Emit(event) => self.face.emit(&event, clock::now().wall),
        }
    }

    fn arm(&self) {
        let deadline = self.session.borrow().next_deadline();
        let timeout = match (deadline, self.own.upgrade()) {
            (Some(deadline), Some(own)) => Some(timer::arm(&own, deadline.after)),
            _ => None,
        };
        drop(mem::replace(&mut *self.timer.borrow_mut(), timeout));
    }

    /// Hands out a new picture if anything changed.
    fn show(&self) {
        let session = self.session.borrow();
        if session.claims() != self.claims.borrow().as_deref() {
            *self.claims.borrow_mut() = session.claims().map(str::to_owned);
            self.face.claims(session.claims());
        } else if self.shown.borrow().as_ref() == Some(&session.snapshot()) {
            return;
        }
        let snapshot = session.snapshot();
        self.face.show(&snapshot);
        *self.shown.borrow_mut() = Some(snapshot);
    }

    fn on_event(&self, kind: u32) {
        self.feed(match kind {
            events::VISIBLE | events::RESUMED => {
                self.listen();
                let visible = kind == events::VISIBLE;
                Input::Woken(if visible { Wake::Visible } else { Wake::Resumed })
            }
            events::LEAVING => Input::Leaving,
            events::ONLINE | events::OFFLINE => Input::Online(kind == events::ONLINE),
            events::ACTIVITY => Input::Activity,
            // The record was changed; the machine hears what it is now.
            _ => return self.storage.reread(),
        });
        if kind == events::LEAVING {
            self.channel.take();
        }
    }

    fn close(&self) {
        self.listening.take();
        self.channel.take();
        self.lock.take();
        self.flight.take();
        self.revocation.take();
    }
}

impl Heard {
    fn new(shell: &Weak<Shell>) -> Self {
        Self {
            event: callback(shell, |shell, kind, _| shell.on_event(kind)),
            message: callback(shell, |shell, _, text| {
                shell.feed(Input::PeerMessage(text.as_string().unwrap_or_default()));
            }),
            lock: callback(shell, |shell, ticket, held| {
                shell.feed(if held.is_truthy() {
                    Input::LockGranted(ticket)
                } else {
                    Input::LockUnavailable(ticket)
                });
            }),
            answer: callback(shell, |shell, attempt, reply| {
                let answer = transport::answer(&reply, &shell.face);
                shell.feed(Input::RefreshAnswered { attempt, answer });
            }),
            revoked: callback(shell, |shell, revoke, revoked| {
                shell.feed(Input::RevokeAnswered { revoke, revoked: revoked.is_truthy() });
            }),
        }
    }
}

fn storage_callbacks(shell: &Weak<Shell>) -> Callbacks {
    Callbacks {
        read: callback(shell, |shell, read, texts| {
            let found = shell.storage.found(&texts);
            shell.feed(Input::RecordRead { read, found });
        }),
        changed: callback(shell, |shell, _, texts| {
            shell.feed(Input::RecordChanged(shell.storage.found(&texts)));
        }),
        join: callback(shell, |shell, write, texts| {
            if let Some(written) = shell.storage.join(write, &texts) {
                shell.feed(Input::RecordWritten { write, written });
            }
        }),
        stored: callback(shell, |shell, write, stored| {
            let written = shell.storage.stored(stored.is_truthy());
            shell.feed(Input::RecordWritten { write, written });
        }),
    }
}

/// Ends what is under way, if it is this.
fn drop_if(slot: &RefCell<Option<(u32, Running)>>, id: u32) {
    let is_this = slot.borrow().as_ref().is_some_and(|(known, _)| *known == id);
    if is_this {
        slot.take();
    }
}
