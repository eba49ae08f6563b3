//! One state of the world, and the moves that lead out of it.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use everfresh::{
    core::{
        clock::Millis,
        effect::Outcome,
        ids::WaiterId,
        input::{Input, Wake},
    },
    engine::{
        endpoint::{Exchange, Response},
        host::{Load, Loaded},
        virtual_host::Want,
    },
};

use crate::{
    moves::Move,
    server::{Request, Server},
    setup::{Defect, Setup},
    tab::{Call, Errand, Flight, Revoke, Stage, Tab, TabEngine},
};

/// A state. Cheap to copy: what a move does not touch is shared.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) now: Millis,
    pub(crate) tabs: Vec<Arc<Tab>>,
    /// What is under way from the one tab to the other, at `from * tabs + to`, oldest first.
    pub(crate) channel: Vec<VecDeque<Arc<str>>>,
    pub(crate) lock: LockManager,
    /// The text at the one place that all tabs use.
    pub(crate) disk: Option<Arc<str>>,
    pub(crate) server: Arc<Server>,
    /// Requests that nobody waits for any more.
    pub(crate) strays: Vec<Request>,
    pub(crate) troubles_left: u8,
    pub(crate) deeds_left: u8,
    pub(crate) past: Past,
    /// The first promise that was broken on the way here.
    pub broken: Option<String>,
    /// The known limit that was met on the way here: nothing is promised beyond it.
    pub limit: Option<&'static str>,
}

/// What has to be known of the past to judge the present.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Past {
    /// How much went wrong.
    pub(crate) faults: u8,
    /// The user signed out.
    pub(crate) signed_out: bool,
    /// A page stood still, was loaded again, or something took longer than the machine waits:
    /// two refreshes may be under way.
    pub(crate) strained: bool,
    /// What only one tab knew may be lost.
    pub(crate) forgetful: bool,
    /// Storage failed.
    pub(crate) unreadable: bool,
}

/// The browser's lock: first come, first served.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LockManager {
    pub(crate) holder: Option<usize>,
    /// A frozen page hears that it has the lock when it runs again.
    pub(crate) told: bool,
    pub(crate) queue: VecDeque<usize>,
}

impl World {
    /// All tabs signed in, all at rest.
    #[must_use]
    pub fn signed_in(setup: &Setup) -> Self {
        let (server, reply) = Server::sign_in();
        let mut world = Self {
            now: 0,
            tabs: (0..setup.tabs).map(|_| Arc::new(Tab::new(0, 0, setup))).collect(),
            channel: vec![VecDeque::new(); setup.tabs * setup.tabs],
            lock: LockManager::default(),
            disk: None,
            server: Arc::new(server),
            strays: Vec::new(),
            troubles_left: setup.most_troubles,
            deeds_left: setup.most_deeds,
            past: Past::default(),
            broken: None,
            limit: None,
        };
        let tokens = reply.tokens().expect("a sign-in brings tokens");
        world.turn(0, setup, |engine| {
            engine.start(tokens).expect("the server's own tokens are good");
        });
        for tab in 0..setup.tabs {
            if tab > 0 {
                world.load(tab, setup);
            }
            while let Some(next) = world.ordinary(setup).first().copied() {
                world.act(next, setup);
            }
        }
        world
    }

    /// The hash of all that decides what can still happen.
    #[must_use]
    pub fn print(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.now.hash(&mut hasher);
        for tab in &self.tabs {
            tab.print.hash(&mut hasher);
        }
        (&self.channel, &self.lock, &self.disk, &self.server, &self.strays).hash(&mut hasher);
        (self.troubles_left, self.deeds_left, self.past).hash(&mut hasher);
        hasher.finish()
    }

    /// The state after a move.
    #[must_use]
    pub fn after(&self, next: Move, setup: &Setup) -> Self {
        let mut world = self.clone();
        world.act(next, setup);
        world
    }

    pub(crate) const fn line(&self, from: usize, to: usize) -> usize {
        from * self.tabs.len() + to
    }

    pub(crate) fn tab(&mut self, id: usize) -> &mut Tab {
        Arc::make_mut(&mut self.tabs[id])
    }

    pub(crate) fn act(&mut self, next: Move, setup: &Setup) {
        match next {
            Move::Timer(id) => self.turn(id, setup, TabEngine::wake),
            Move::Lock(id) => self.lock(id, setup),
            Move::Storage(id) => self.storage(id, setup),
            Move::Message(from, to) => {
                let line = self.line(from, to);
                if let Some(text) = self.channel[line].pop_front() {
                    self.turn(to, setup, |engine| engine.heard(&text));
                }
            }
            Move::Arrive(id) => self.arrive(id, setup),
            Move::Answer(id) => {
                if let Some(Flight { attempt, stage: Stage::Answered(reply) }) =
                    self.tab(id).flight.take()
                {
                    let exchange = Exchange::Refresh(attempt);
                    self.turn(id, setup, |engine| engine.responded(exchange, reply.response()));
                }
            }
            Move::Belated(id) => self.answer_late(id, setup),
            Move::Revoke(id) => self.revoke(id, setup),
            Move::Wait => self.wait(setup),
            Move::Resume(id) => {
                self.tab(id).frozen = false;
                self.feed(id, Input::Woken(Wake::Resumed), setup);
                self.tell_holder(id, setup);
            }
            Move::Stray(at) => {
                let request = self.strays.remove(at);
                let now = self.now;
                Arc::make_mut(&mut self.server).refresh(&request, now, setup);
                self.watch_server();
            }
            Move::Fault(fault, id, to) => {
                self.troubles_left -= 1;
                self.past.faults += 1;
                self.fault(fault, id, to, setup);
            }
            Move::Deed(deed, id) => {
                self.troubles_left -= 1;
                self.deeds_left -= 1;
                self.deed(deed, id, setup);
            }
        }
    }

    pub(crate) fn wait(&mut self, setup: &Setup) {
        if let Some(at) = self.next_alarm(setup) {
            self.now = at;
        }
        if self.now >= setup.trouble_until {
            self.forget_belated();
        }
    }

    /// The request outlives its page, its answer does not.
    fn revoke(&mut self, id: usize, setup: &Setup) {
        let frozen = self.tabs[id].frozen;
        let waits = |revoke: &&mut Revoke| !revoke.heard || !frozen;
        let Some(revoke) = self.tab(id).revokes.iter_mut().find(waits) else { return };
        if revoke.heard {
            let id_of = revoke.id;
            self.tab(id).revokes.retain(|revoke| revoke.id != id_of);
            let done = Response { status: 200, ..Response::default() };
            self.turn(id, setup, |engine| engine.responded(Exchange::Revoke(id_of), Some(done)));
        } else {
            revoke.heard = true;
            self.tab(id).tidy();
            Arc::make_mut(&mut self.server).revoke();
        }
    }

    fn lock(&mut self, id: usize, setup: &Setup) {
        if !setup.locks {
            if let Some(ticket) = self.tab(id).ticket.take() {
                self.feed(id, Input::LockUnavailable(ticket), setup);
            }
            return;
        }
        self.lock.queue.pop_front();
        self.lock.holder = Some(id);
        self.lock.told = false;
        self.tell_holder(id, setup);
    }

    fn tell_holder(&mut self, id: usize, setup: &Setup) {
        if self.lock.holder != Some(id) || self.lock.told || self.tabs[id].frozen {
            return;
        }
        self.lock.told = true;
        if let Some(ticket) = self.tabs[id].ticket {
            self.feed(id, Input::LockGranted(ticket), setup);
        }
    }

    fn storage(&mut self, id: usize, setup: &Setup) {
        match self.tab(id).storage.pop_front() {
            Some(Errand::Load(load)) => {
                let loaded = self.lies_there(id, setup);
                self.turn(id, setup, |engine| engine.loaded(load, loaded));
            }
            Some(Errand::Store(text)) => {
                self.disk = Some(text);
                self.tab(id).tidy();
            }
            None => {}
        }
    }

    fn lies_there(&self, id: usize, setup: &Setup) -> Loaded {
        if setup.has(Defect::StorageOverwrites) && !self.tabs[id].is_reading() {
            return Loaded::Nothing;
        }
        self.disk.as_ref().map_or(Loaded::Nothing, |text| Loaded::Text(text.as_ref().to_owned()))
    }

    fn arrive(&mut self, id: usize, setup: &Setup) {
        let Some(Flight { stage: Stage::Asked(request), .. }) = self.tabs[id].flight.clone() else {
            return;
        };
        let now = self.now;
        let (_, reply) = Arc::make_mut(&mut self.server).refresh(&request, now, setup);
        self.watch_server();
        self.reply(id, reply);
    }

    pub(crate) fn feed(&mut self, id: usize, input: Input, setup: &Setup) {
        // What is due is done when the page comes back.
        let leaves = matches!(input, Input::Leaving);
        self.drain(id, setup, |engine| engine.feed(input));
        self.watch_tab(id, leaves, setup);
    }

    /// Something happens to a tab, and what its engine wants done is done.
    pub(crate) fn turn(&mut self, id: usize, setup: &Setup, act: impl FnOnce(&TabEngine)) {
        self.drain(id, setup, act);
        self.watch_tab(id, false, setup);
    }

    fn drain(&mut self, id: usize, setup: &Setup, act: impl FnOnce(&TabEngine)) {
        self.tell(id, setup, act);
        while let Some(want) = self.tabs[id].next_want() {
            self.perform(id, want, setup);
        }
        self.tab(id).tidy();
    }

    fn tell(&mut self, id: usize, setup: &Setup, act: impl FnOnce(&TabEngine)) {
        let now = self.now;
        self.tab(id).turn(id, now, setup.has(Defect::KeysRepeat), act);
    }

    fn perform(&mut self, id: usize, want: Want, setup: &Setup) {
        let secret = setup.has(Defect::SignOutStaysSecret) && self.past.signed_out;
        match want {
            Want::Load(load) => self.load_text(id, load, setup),
            Want::Store(..) if secret => {}
            Want::Store(store, text) => {
                let text = text.0.into();
                if setup.has(Defect::StorageAnswersEarly) {
                    self.tab(id).storage.push_back(Errand::Store(text));
                } else if !setup.has(Defect::StorageForgets) || self.disk.is_none() {
                    self.disk = Some(text);
                }
                self.tell(id, setup, |engine| engine.stored(store, true));
            }
            Want::SetAside(..) | Want::Remove(_) => self.broken("what tabs store is a record"),
            Want::RequestLock(ticket) => {
                self.tab(id).ticket = Some(ticket);
                if setup.locks {
                    self.lock.queue.push_back(id);
                }
            }
            Want::ReleaseLock(ticket) => {
                if self.tabs[id].ticket == Some(ticket) {
                    self.tab(id).ticket = None;
                    self.lock.forget(id);
                }
            }
            Want::Broadcast(_) if secret => {}
            Want::Broadcast(text) => {
                let text: Arc<str> = text.0.into();
                for to in (0..self.tabs.len()).filter(|to| *to != id) {
                    let line = self.line(id, to);
                    self.channel[line].push_back(Arc::clone(&text));
                }
            }
            Want::Send(Exchange::Refresh(attempt), request) => {
                let stage = Stage::Asked(Request::read(&request));
                self.tab(id).flight = Some(Flight { attempt, stage });
                self.watch_flights(setup);
            }
            Want::Send(Exchange::Revoke(revoke), _) => {
                self.tab(id).revokes.push(Revoke { id: revoke, heard: false });
            }
            Want::Abort(attempt) => {
                if self.tabs[id].flight.as_ref().is_some_and(|it| it.attempt == attempt) {
                    self.give_up(id);
                }
            }
            Want::Settle(..) if setup.has(Defect::SettlementsAreLost) => {}
            Want::Settle(caller, outcome) => self.settle(id, caller, &outcome),
            Want::Lease(None) if setup.has(Defect::LeaseIsKept) => {}
            Want::Lease(lease) => self.tab(id).lease = lease.map(|lease| lease.id),
            Want::Event(event) => self.watch_event(id, &event),
            // No tab has a refresh function, and none is disposed of.
            Want::Call(..) | Want::Close | Want::Log(_) => {}
        }
    }

    /// Storage is asked; it may answer at once.
    fn load_text(&mut self, id: usize, load: Load, setup: &Setup) {
        if !setup.prompt_storage {
            self.tab(id).storage.push_back(Errand::Load(load));
            return;
        }
        let fails = core::mem::take(&mut self.tab(id).storage_fails);
        let loaded = if fails { Loaded::Failed } else { self.lies_there(id, setup) };
        self.tell(id, setup, |engine| engine.loaded(load, loaded));
    }

    fn settle(&mut self, id: usize, waiter: WaiterId, outcome: &Outcome) {
        let calls = &mut self.tab(id).calls;
        let at = calls.iter().position(|call| call.waiter == waiter);
        let call: Option<Call> = at.map(|at| calls.remove(at));
        self.watch_settled(id, call.as_ref(), outcome);
    }
}

impl LockManager {
    /// Takes back what a tab has or waits for.
    pub(crate) fn forget(&mut self, id: usize) {
        self.queue.retain(|waiting| *waiting != id);
        if self.holder == Some(id) {
            self.holder = None;
        }
    }
}
