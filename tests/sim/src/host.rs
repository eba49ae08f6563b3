//! What happens to a tab, and what its engine then wants done.

use std::{mem, rc::Rc};

use everfresh::{
    core::{
        clock::Millis,
        effect::Outcome,
        ids::{Ticket, WaiterId},
        input::Input,
        record::Record,
        session::Session,
    },
    engine::{endpoint::Exchange, virtual_host::Want},
};

use crate::{
    browser::{Disk, TabId},
    plan::{Locks, Storage},
    tab::{Running, Tab, TabEngine, What},
    world::{Event, REPEATED, Sent, World},
};

/// A tab that wants more than this at once is in a livelock.
pub(crate) const MAX_WANTS: usize = 10_000;

impl World {
    pub(crate) fn feed(&mut self, id: TabId, input: Input) {
        self.tell(|| format!("tab {id} <- {input:?}"));
        if !matches!(input, Input::Leaving) {
            return self.turn(id, |engine| engine.feed(input));
        }
        if self.broken.is_none() {
            self.drain(id, |engine| engine.feed(input));
            self.watch_leaving(id);
            self.watch_tab(id);
        }
    }

    /// The application asks a tab for something, and waits.
    pub(crate) fn ask(
        &mut self,
        id: TabId,
        what: What,
        input: impl FnOnce(WaiterId) -> Input,
    ) -> WaiterId {
        self.tell(|| format!("tab {id} <- {what:?}"));
        let caller = self.tabs[id].call(what, self.now);
        self.turn(id, |engine| {
            engine.ask(caller, input);
        });
        caller
    }

    /// Something happens to a tab, and what its engine wants done is done.
    pub(crate) fn turn(&mut self, id: TabId, act: impl FnOnce(&TabEngine)) {
        if self.broken.is_none() {
            self.drain(id, act);
            self.arm(id);
            self.watch_tab(id);
        }
    }

    fn drain(&mut self, id: TabId, act: impl FnOnce(&TabEngine)) {
        self.statistics.steps += 1;
        let clocks = self.tabs[id].clocks(self.now, self.wall());
        self.disk.borrow_mut().now = self.now;
        let engine = &self.tabs[id].engine;
        engine.host.set_now(clocks);
        act(engine);
        let reads = engine.stats().storage.reads;
        let tab = &mut self.tabs[id];
        tab.untold = 0;
        if tab.reads != reads {
            (tab.reads, tab.read_at) = (reads, self.now);
        }
        let mut wants = self.look_at_disk(id);
        while let Some(want) = self.tabs[id].engine.host.next() {
            self.perform(id, want);
            wants += 1;
            if wants > self.max_wants {
                self.broken("no livelock", format!("tab {id} wants {wants} things at once"));
                break;
            }
        }
    }

    /// What storage did while a tab ran: how much, who hears of it, and what failed.
    fn look_at_disk(&mut self, id: TabId) -> usize {
        let done = mem::take(&mut self.disk.borrow_mut().done);
        for kind in done.failed {
            self.trouble(0);
            self.statistics.fault(kind);
            self.tell(|| format!("          fault: {kind}"));
        }
        // Nothing tells of what happens at a place of the application's own.
        if done.shared > 0 && self.plan.storage != Storage::Custom {
            let lag = self.plan.odds.read_lag;
            for other in self.others(id) {
                for _ in 0..done.shared {
                    self.after(lag, lag + 20, Event::RecordChanged(other));
                }
            }
        }
        done.count
    }

    /// Storage of the application's own does something.
    pub(crate) fn at_disk<T>(&self, act: impl FnOnce(&mut Disk) -> T) -> T {
        let mut disk = self.disk.borrow_mut();
        disk.now = self.now;
        act(&mut disk)
    }

    fn arm(&mut self, id: TabId) {
        let deadline = self.tabs[id].engine.session(Session::next_deadline);
        if let Some(deadline) = deadline
            && deadline.after <= 0
        {
            self.broken("no deadline is left behind", format!("tab {id}: {deadline:?}"));
        }
        let at = deadline.map(|deadline| self.now + deadline.after);
        // Browsers wake a hidden page once a minute.
        let coarse = self.tabs[id].hidden && !self.well;
        let at = at.map(|at| if coarse { at / 60_000 * 60_000 + 60_000 } else { at });
        self.queue.set_deadline(id, at);
    }

    fn perform(&mut self, id: TabId, want: Want) {
        if !matches!(want, Want::Lease(_) | Want::Broadcast(_)) {
            self.tell(|| format!("tab {id} -> {want:?}"));
        }
        match want {
            Want::Load(load) => {
                let most = self.storage_takes();
                self.after(0, most, Event::LoadArrives(id, load));
            }
            Want::Store(store, text) => {
                let most = self.storage_takes();
                self.after(0, most, Event::StoreArrives(id, store, text.0.into()));
            }
            Want::Remove(place) => self.at_disk(|disk| disk.remove(id, place)),
            Want::SetAside(..) => self.statistics.fault("storage holds no record"),
            Want::RequestLock(ticket) => self.request_lock(id, ticket),
            Want::ReleaseLock(ticket) => {
                self.locks.release(id, ticket);
                self.after(0, 2, Event::Grant);
            }
            Want::Broadcast(text) => self.broadcast(id, &text.0),
            Want::Send(Exchange::Refresh(attempt), request) => self.send(id, attempt, &request),
            Want::Send(Exchange::Revoke(revoke), request) => {
                self.send_revocation(id, revoke, &request);
            }
            Want::Abort(attempt) => {
                if self.tabs[id].attempt == Some(attempt) {
                    self.tabs[id].attempt = None;
                }
            }
            Want::Settle(caller, outcome) => self.settle(id, caller, outcome),
            Want::Lease(lease) => self.tabs[id].lease = lease,
            Want::Event(event) => self.watch_event(id, &event),
            Want::Log(_) => {}
            Want::Call(..) | Want::Close => {
                self.broken("only what was asked for happens", format!("tab {id}: {want:?}"));
            }
        }
    }

    /// How long a place of the application's own may take.
    fn storage_takes(&mut self) -> Millis {
        if self.strikes(self.plan.odds.slow_storage, "storage slow") {
            self.note_slowness(4_000);
            return 4_000;
        }
        40
    }

    fn request_lock(&mut self, id: TabId, ticket: Ticket) {
        match self.plan.locks {
            Locks::Absent => self.after(0, 1, Event::LockAbsent(id, ticket)),
            Locks::Stuck if !self.well => {}
            Locks::Late if !self.well => {
                self.locks.request(id, ticket);
                self.after(0, 20_000, Event::Grant);
            }
            _ => {
                self.locks.request(id, ticket);
                self.after(0, 2, Event::Grant);
                if self.plan.locks == Locks::Stolen && self.strikes(300, "lock stolen") {
                    self.locks.take();
                }
            }
        }
    }

    fn broadcast(&mut self, from: TabId, text: &str) {
        let said: Rc<str> = text.into();
        self.note_telling(from, text);
        for to in self.others(from) {
            if self.strikes(self.plan.odds.lost_message, "message lost") {
                self.tabs[to].missed_news |= tells_of_a_session(text);
                self.note_loss(to, text);
                continue;
            }
            let late = self.strikes(self.plan.odds.late_message, "message late");
            if late {
                self.tabs[to].missed_news |= tells_of_a_session(text);
                self.note_loss(to, text);
            }
            self.after(0, if late { 10_000 } else { 5 }, Event::Message(to, Rc::clone(&said)));
            if self.strikes(self.plan.odds.repeated_message, REPEATED) {
                self.after(0, 10_000, Event::Message(to, Rc::clone(&said)));
            }
        }
    }

    /// This has reached a tab.
    pub(crate) fn note_news(&mut self, id: TabId, text: &str) {
        let tab = &mut self.tabs[id];
        tab.told = tab.told || tells_of_a_session(text);
    }

    fn others(&self, than: TabId) -> Vec<TabId> {
        let there = |tab: &&Tab| tab.id != than && tab.running != Running::Gone;
        self.tabs.iter().filter(there).map(|tab| tab.id).collect()
    }

    fn settle(&mut self, id: TabId, waiter: WaiterId, outcome: Outcome) {
        let Some(call) = self.tabs[id].calls.remove(&waiter) else {
            self.broken("everybody is settled once", format!("tab {id}, waiter {}", waiter.0));
            return;
        };
        self.watch_settled(id, &call.what, call.asked_at, &outcome);
        if let (What::Request { user, resent }, Outcome::Token(lease)) = (call.what, outcome) {
            let request = Sent { lease: lease.id, token: lease.access_token, user, resent };
            self.call_server(id, request);
        }
    }

    pub(crate) fn grant(&mut self) {
        let Some((tab, ticket)) = self.locks.grant() else { return };
        self.server_invariants.lock = Some((tab, self.now));
        // A frozen page is given the lock and does nothing with it.
        if self.reaches(tab) {
            self.feed(tab, Input::LockGranted(ticket));
        } else if self.tabs[tab].is_running() {
            self.locks.release(tab, ticket);
            self.locks.request(tab, ticket);
            let wait = self.asleep_until - self.now;
            self.after(wait, wait + 10, Event::Grant);
        }
    }
}

/// Whether it is the record of a session, not the question or what a page load without one says.
fn tells_of_a_session(text: &str) -> bool {
    Record::decode(text).is_some_and(|record| !record.is_guess())
}
