//! What people, devices and thieves do to a world.

use std::rc::Rc;

use everfresh::core::{
    clock::Millis,
    input::{Input, Wake},
    reason::EndReason,
    snapshot::Status,
};

use crate::{
    browser::{Shelf, TabId},
    invariants::{Newest, Truth},
    plan::{Action, Locks},
    tab::{Running, Tab, What},
    world::{Event, Sent, World},
};

impl World {
    pub(crate) fn act(&mut self, action: Action) {
        self.tell(|| format!("{action:?}"));
        let here = |world: &Self, tab: usize| {
            let tab = tab % world.tabs.len().max(1);
            world.reaches(tab).then_some(tab)
        };
        match action {
            Action::Input(tab) => {
                if let Some(tab) = here(self, tab) {
                    self.input(tab, Input::Activity);
                }
            }
            Action::Request(tab) => {
                if let Some(tab) = here(self, tab) {
                    self.request(tab);
                }
            }
            Action::Refresh(tab) => {
                if let Some(tab) = here(self, tab) {
                    self.ask(tab, What::Refresh, |waiter| Input::RefreshWanted { waiter });
                }
            }
            Action::Hide(tab) => {
                if let Some(tab) = here(self, tab) {
                    self.tabs[tab].hidden = true;
                }
            }
            Action::Show(tab) => {
                if let Some(tab) = here(self, tab) {
                    self.show(tab);
                    self.input(tab, Input::Woken(Wake::Visible));
                }
            }
            Action::Freeze(tab, warned) => {
                if let Some(tab) = here(self, tab) {
                    self.statistics.fault("tab frozen");
                    self.strain(self.now);
                    if warned {
                        self.feed(tab, Input::Leaving);
                    }
                    self.stop(tab, Running::Frozen);
                }
            }
            Action::Resume(tab) => self.resume(tab % self.tabs.len()),
            Action::Reload(tab) => {
                if let Some(tab) = here(self, tab) {
                    self.feed(tab, Input::Leaving);
                    let own = self.disk.borrow().own(tab).cloned();
                    self.close(tab);
                    self.statistics.fault("page reloaded");
                    self.open(own);
                }
            }
            Action::Crash(tab) => {
                let tab = tab % self.tabs.len();
                self.statistics.fault("tab crashed");
                self.close(tab);
            }
            Action::Open => {
                self.open(None);
            }
            Action::Clone(tab) => {
                let own = self.disk.borrow().own(tab % self.tabs.len()).cloned();
                self.open(own);
            }
            Action::Sleep(length) => self.sleep(length),
            Action::SetClock(by) => {
                self.statistics.fault("clock set");
                self.strain(self.now);
                self.clock_set += by;
                self.set_back |= by < 0;
                if by > 1_000 {
                    self.truth.leaps += by;
                }
            }
            Action::Offline(length) => {
                self.statistics.fault("offline");
                self.offline_until = self.offline_until.max(self.now + length);
                if self.rng.chance(600) {
                    self.happen(Event::Online(false));
                    let until = self.offline_until;
                    self.at(until + 1, Event::Online(true));
                }
            }
            Action::Distrust(tab, length) => {
                self.statistics.fault("tokens refused by the application's server");
                self.distrust_until = self.now + length;
                for turn in 0..length / 1_000 {
                    self.at(self.now + turn * 1_000, Event::Act(Action::Request(tab)));
                }
            }
            Action::Hold(tab, begins) => {
                if let Some(tab) = here(self, tab)
                    && self.tabs[tab].held != begins
                {
                    self.input(tab, Input::Hold(begins));
                    self.tabs[tab].held = begins;
                }
            }
            Action::Wipe(garbage) => {
                self.statistics.fault(if garbage {
                    "storage overwritten"
                } else {
                    "storage wiped"
                });
                self.at_disk(|disk| disk.wipe(garbage));
            }
            Action::Calm(length) => {
                self.calm_until = self.calm_until.max(self.now + length);
                self.disk.borrow_mut().well_until = self.calm_until;
            }
            Action::SignOut(tab) => {
                if let Some(tab) = here(self, tab) {
                    self.truth.signed_out = true;
                    if self.tabs[tab].is_live() {
                        self.truth.signed_out_of = Some(self.truth.sign_ins);
                        self.truth.signed_out_by = Some(tab);
                    }
                    let input = |waiter| Input::SignOut { waiter, everywhere: false };
                    self.ask(tab, What::SignOut, input);
                }
            }
            Action::Cancel(tab) => {
                if let Some(tab) = here(self, tab) {
                    self.truth.cancelling = Some(tab);
                    self.feed(tab, Input::Cancel(None));
                    self.truth.cancelling = None;
                }
            }
            Action::SignIn(tab, same) => {
                if let Some(tab) = here(self, tab) {
                    self.sign_in(tab, if same { "ana" } else { "ben" });
                }
            }
            Action::Revoke => {
                self.truth.revoked = true;
                for sid in self.sessions.clone() {
                    self.server.revoke(sid);
                }
            }
            Action::Steal(tab, how) => self.steal(tab % self.tabs.len(), how),
        }
    }

    pub(crate) fn input(&mut self, tab: TabId, input: Input) {
        let was_live = self.tabs[tab].is_live();
        let knew_none = self.tabs[tab].status() == Status::SignedOut;
        self.feed(tab, input);
        if knew_none {
            // It is input of no session: one that such a page finds as it wakes up goes on as it would beside
            // one that is loaded.
            return;
        }
        // A tab that finds that it alone lacks the tokens has told the others of the input first.
        let reason = self.tabs[tab].snapshot().reason;
        let left_alone = was_live && reason == Some(EndReason::LoginRequired);
        let felt = self.now + self.truth.leaps;
        if self.looks_up(tab) {
            self.tabs[tab].undecided_input = Some(felt);
        } else if left_alone || self.tabs[tab].is_live() {
            self.truth.last_input = felt;
        } else if self.tabs[tab].status() == Status::Unknown {
            self.truth.last_early_input = felt;
        }
    }

    /// Input counts once storage has said that the session is not over.
    pub(crate) fn decide_input(&mut self, tab: TabId) {
        if self.looks_up(tab) {
            return;
        }
        let undecided = self.tabs[tab].undecided_input.take();
        if let Some(felt) = undecided.filter(|_| self.tabs[tab].is_live()) {
            self.truth.last_input = self.truth.last_input.max(felt);
        }
    }

    pub(crate) fn request(&mut self, tab: TabId) {
        self.statistics.requests += 1;
        let user = self.tabs[tab].snapshot().subject;
        if let Some((lease, token)) = self.tabs[tab].unasked(self.wall()) {
            self.call_server(tab, Sent { lease, token, user, resent: false });
            return;
        }
        let what = What::Request { user, resent: false };
        // A tab feels that its clock was set when it is called.
        let good = self.has_good_token(tab) && !self.facts.clock_is_set;
        let waiter = self.ask(tab, what, |waiter| Input::TokenWanted { waiter, min_validity: 0 });
        if good && self.tabs[tab].calls.contains_key(&waiter) && !self.looks_up(tab) {
            self.broken(
                "a valid token is never withheld",
                format!("tab {tab}: {} waits", waiter.0),
            );
        }
    }

    pub(crate) fn open(&mut self, own: Option<Rc<str>>) {
        let id = self.tabs.len();
        self.disk.borrow_mut().give(id, own);
        let shelf = Shelf { tab: id, disk: Rc::clone(&self.disk) };
        let settings = self.plan.settings();
        self.tabs.push(Tab::new(shelf, settings, self.rng.seed(), self.wall(), self.now));
        self.tabs[id].loaded_felt = self.now + self.truth.leaps;
        if self.plan.monotonic_sleeps {
            self.tabs[id].missed = (self.asleep_until - self.now).max(0);
        }
        self.ask(id, What::Restore, |waiter| Input::Restore { waiter });
    }

    pub(crate) fn close(&mut self, tab: TabId) {
        self.strain(self.now);
        self.stop(tab, Running::Gone);
        self.tabs[tab].attempt = None;
        self.tabs[tab].parked = Vec::new();
        self.locks.forget(tab);
        self.after(0, 5, Event::Grant);
    }

    /// The page's code does not run from here on; until here what it held counted as input.
    fn stop(&mut self, tab: TabId, running: Running) {
        if self.tabs[tab].is_running() && self.tabs[tab].held && self.tabs[tab].is_live() {
            self.let_go();
        }
        self.tabs[tab].running = running;
    }

    pub(crate) fn resume(&mut self, tab: TabId) {
        if self.tabs[tab].running != Running::Frozen {
            return;
        }
        self.tabs[tab].running = Running::Yes;
        self.tabs[tab].held_back_at = self.now;
        self.strain(self.now);
        self.catch_up(tab);
    }

    fn show(&mut self, tab: TabId) {
        if std::mem::take(&mut self.tabs[tab].hidden) {
            self.tabs[tab].held_back_at = self.now;
            self.strain(self.now);
        }
    }

    /// The monotonic clocks of all pages stand still for so much longer, where they do in sleep.
    fn stop_clocks(&mut self, longer: Millis) {
        if self.plan.monotonic_sleeps {
            for tab in &mut self.tabs {
                tab.missed += longer;
            }
        }
    }

    pub(crate) fn sleep(&mut self, length: Millis) {
        self.statistics.fault("device slept");
        let until = self.asleep_until.max(self.now + length);
        self.stop_clocks(until - self.asleep_until.max(self.now));
        self.asleep_until = until;
        self.strain(until);
        // The network takes its time to come back.
        let back = self.asleep_until + self.rng.between(0, 10_000);
        self.offline_until = self.offline_until.max(back);
        for tab in 0..self.tabs.len() {
            let at = self.asleep_until + self.rng.between(0, 100);
            self.at(at, Event::Wake(tab));
        }
        self.at(back + 1, Event::Online(true));
    }

    pub(crate) fn sign_in(&mut self, tab: TabId, user: &str) {
        let (granted, sid) = self.server.sign_in(user, self.now);
        self.sessions.push(sid);
        if self.plan.wire.cookie {
            self.jar = Some(granted.refresh.clone());
        }
        let felt = self.now + self.truth.leaps;
        self.watch_sign_in();
        let before = std::mem::take(&mut self.truth);
        self.truth = Truth {
            last_input: felt,
            signed_in_at: felt,
            signed_in: self.now,
            sign_ins: before.sign_ins + 1,
            newest: Newest::default(),
            ..before
        };
        // A start replaces the session that was: its end is not told.
        self.tabs[tab].signed_in = false;
        self.tabs[tab].told = true;
        self.tell(|| format!("tab {tab} <- start"));
        let mut response = granted.response();
        let hidden = self.plan.wire.cookie || self.plan.wire.lapses;
        response.refresh_token = response.refresh_token.filter(|_| !hidden);
        self.turn(tab, |engine| {
            engine.start(response).expect("the server's own tokens are good");
        });
    }

    /// All faults cease, all tabs wake up: now everything must come right by itself.
    pub(crate) fn recover(&mut self) {
        self.tell(|| "all is well from here".to_owned());
        self.well = true;
        self.disk.borrow_mut().well_until = Millis::MAX;
        self.offline_until = self.offline_until.min(self.now);
        self.distrust_until = self.distrust_until.min(self.now);
        let awake = self.asleep_until.min(self.now);
        self.stop_clocks(awake - self.asleep_until);
        self.asleep_until = awake;
        for tab in 0..self.tabs.len() {
            self.resume(tab);
            self.show(tab);
        }
        if self.plan.locks == Locks::Stuck || self.plan.locks == Locks::Late {
            self.after(0, 1, Event::Grant);
        }
        self.happen(Event::Online(true));
        for tab in 0..self.tabs.len() {
            self.after(0, 10, Event::Wake(tab));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Odds, Plan, Storage};

    #[test]
    fn a_user_who_comes_back_to_a_page_that_knows_no_session_gives_no_input() {
        let odds = Odds { lost_message: 1_000, ..Odds::default() };
        let mut world = World::new(Plan { storage: Storage::Custom, odds, ..Plan::day(1) });
        world.open(None);
        world.open(None);
        world.run_until(|world| world.tabs.iter().all(|tab| tab.status() == Status::SignedOut));
        world.sign_in(0, "ana");
        world.run_until(|world| !world.disk.borrow().texts(0).is_empty());
        let signed_in = world.truth.last_input;
        world.now += 60_000;
        world.input(1, Input::Woken(Wake::Visible));
        world.run_until(|world| world.tabs[1].is_live() && !world.looks_up(1));
        assert_eq!((world.truth.last_input, &world.broken), (signed_in, &None));
        world.now += 1;
        world.input(1, Input::Activity);
        assert_eq!(world.truth.last_input, world.now);
    }

    /// What the monotonic clock of each page shows after this.
    fn monotonic(act: impl FnOnce(&mut World)) -> Vec<Millis> {
        let mut world = World::new(Plan { monotonic_sleeps: true, ..Plan::day(1) });
        world.open(None);
        world.now += 10_000;
        act(&mut world);
        world.tabs.iter().map(|tab| tab.clocks(world.now, 0).monotonic).collect()
    }

    #[test]
    fn monotonic_clocks_stand_still_while_the_device_sleeps() {
        let one_after_the_other = monotonic(|world| {
            world.sleep(300_000);
            world.now += 200_000;
            world.open(None);
            world.sleep(600_000);
            world.now += 600_000;
        });
        assert_eq!(one_after_the_other, [10_000, 0]);
        let woken_early = monotonic(|world| {
            world.sleep(300_000);
            world.now += 200_000;
            world.recover();
        });
        assert_eq!(woken_early, [10_000]);
    }
}
