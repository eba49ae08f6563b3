//! What goes wrong, and what somebody does.

use std::sync::Arc;

use everfresh::{
    core::input::Input,
    engine::{endpoint::Exchange, host::Loaded},
};

use crate::{
    moves::Move,
    server::Reply,
    setup::{Deed, Defect, Fault, Setup},
    tab::{Belated, Errand, Flight, Stage, Tab, What},
    world::{Past, World},
};

/// Copies of one request that a network may still hold.
const MOST_STRAYS: usize = 2;

impl World {
    pub(crate) fn troubles(&self, busy: bool, setup: &Setup, moves: &mut Vec<Move>) {
        for (id, tab) in self.tabs.iter().enumerate() {
            if self.troubles_left > 0 && self.deeds_left > 0 && !tab.frozen && tab.signed_in {
                let deeds = setup.deeds.iter().filter(|deed| match deed {
                    Deed::Unauthorized => tab.lease.is_some(),
                    _ => true,
                });
                moves.extend(deeds.map(|deed| Move::Deed(*deed, id)));
            }
            if self.troubles_left == 0 {
                continue;
            }
            for fault in setup.faults {
                match fault {
                    Fault::LoseMessage => {
                        let lines = (0..self.tabs.len())
                            .filter(|to| !self.channel[self.line(id, *to)].is_empty());
                        moves.extend(lines.map(|to| Move::Fault(*fault, id, to)));
                    }
                    Fault::Late if id > 0 || !busy || self.next_alarm(setup).is_none() => {}
                    _ if can(*fault, tab, setup) => moves.push(Move::Fault(*fault, id, id)),
                    _ => {}
                }
            }
        }
    }

    pub(crate) fn deed(&mut self, deed: Deed, id: usize, setup: &Setup) {
        let now = self.now;
        let caller = self.tab(id).call(What::Deed(deed), now);
        self.past.signed_out |= deed == Deed::SignOut;
        let lease = self.tabs[id].lease.unwrap_or_default();
        self.turn(id, setup, |engine| {
            engine.ask(caller, |waiter| match deed {
                Deed::SignOut => Input::SignOut { waiter, everywhere: false },
                Deed::Unauthorized => Input::Unauthorized { waiter: Some(waiter), lease },
                Deed::Refresh => Input::RefreshWanted { waiter },
                Deed::WantToken => Input::TokenWanted { waiter, min_validity: 0 },
            });
        });
    }

    pub(crate) fn fault(&mut self, fault: Fault, id: usize, to: usize, setup: &Setup) {
        match fault {
            Fault::LoseMessage => {
                let line = self.line(id, to);
                self.channel[line].pop_front();
                self.past.forgetful = true;
            }
            Fault::LoseRequest | Fault::LoseAnswer => self.reply(id, Reply::Unreachable),
            Fault::Refuse => {
                let status = if setup.has(Defect::ProxySaysNo) { 401 } else { 503 };
                self.reply(id, Reply::Proxy(status));
            }
            Fault::Swallow => {
                if let Some(flight) = &mut self.tab(id).flight {
                    flight.stage = Stage::Lost;
                }
                self.tab(id).tidy();
            }
            Fault::Repeat => self.stray(id),
            Fault::FailStorage => {
                self.past.unreadable = true;
                if setup.prompt_storage {
                    self.tab(id).storage_fails = true;
                    self.tab(id).tidy();
                } else if let Some(Errand::Load(load)) = self.tab(id).storage.pop_front() {
                    self.turn(id, setup, |engine| engine.loaded(load, Loaded::Failed));
                }
            }
            Fault::Freeze | Fault::Cache => {
                if fault == Fault::Cache {
                    self.feed(id, Input::Leaving, setup);
                }
                self.past = Past { strained: true, forgetful: true, ..self.past };
                self.tab(id).frozen = true;
                self.tab(id).tidy();
            }
            Fault::Reload => {
                self.past = Past { strained: true, forgetful: true, ..self.past };
                self.stray(id);
                self.load(id, setup);
            }
            Fault::Late => {
                self.past.strained = true;
                // The machine does not wait for storage that takes seconds.
                self.past.unreadable |= self.tabs.iter().any(|tab| !tab.storage.is_empty());
                self.wait(setup);
            }
        }
    }

    pub(crate) fn reply(&mut self, id: usize, reply: Reply) {
        if let Some(flight) = &mut self.tab(id).flight {
            flight.stage = Stage::Answered(reply);
        }
        self.tab(id).tidy();
    }

    /// The request that a tab has under way may still arrive, whatever becomes of the tab.
    pub(crate) fn stray(&mut self, id: usize) {
        if let Some(Flight { stage: Stage::Asked(request), .. }) = &self.tabs[id].flight
            && self.strays.len() < MOST_STRAYS
        {
            let request = request.clone();
            self.strays.push(request);
            self.strays.sort();
        }
    }

    /// The tab waits for its refresh no more. The request may still arrive, and so may an answer
    /// that was on its way.
    pub(crate) fn give_up(&mut self, id: usize) {
        self.stray(id);
        if let Some(Flight { attempt, stage: Stage::Answered(reply) }) = self.tab(id).flight.take()
        {
            self.tab(id).belated = Some(Belated { attempt, reply });
        }
    }

    pub(crate) fn answer_late(&mut self, id: usize, setup: &Setup) {
        let Some(Belated { mut attempt, reply }) = self.tab(id).belated.take() else { return };
        if setup.has(Defect::AnswersAreMixedUp) {
            self.stray(id);
            attempt = self.tab(id).flight.take().map_or(attempt, |flight| flight.attempt);
        }
        let exchange = Exchange::Refresh(attempt);
        self.turn(id, setup, |engine| engine.responded(exchange, reply.response()));
    }

    /// What has not come by now never comes.
    pub(crate) fn forget_belated(&mut self) {
        for id in 0..self.tabs.len() {
            if self.tabs[id].belated.is_some() {
                self.tab(id).belated = None;
                self.tab(id).tidy();
            }
        }
    }

    /// The page of a tab is loaded. What it knew is gone, and so is what it waited for.
    pub(crate) fn load(&mut self, id: usize, setup: &Setup) {
        let loads = self.tabs[id].loads + 1;
        if !self.tabs[id].revokes.is_empty() {
            Arc::make_mut(&mut self.server).revoke();
        }
        let mut tab = Tab::new(loads, self.now, setup);
        let caller = tab.call(What::Restore, self.now);
        self.tabs[id] = Arc::new(tab);
        self.lock.forget(id);
        for from in 0..self.tabs.len() {
            let line = self.line(from, id);
            self.channel[line].clear();
        }
        self.turn(id, setup, |engine| {
            engine.ask(caller, |waiter| Input::Restore { waiter });
        });
    }
}

fn can(fault: Fault, tab: &Tab, setup: &Setup) -> bool {
    let stage = tab.flight.as_ref().map(|flight| &flight.stage);
    match fault {
        Fault::LoseRequest | Fault::Refuse | Fault::Repeat => {
            matches!(stage, Some(Stage::Asked(_)))
        }
        Fault::LoseAnswer | Fault::Swallow => {
            matches!(stage, Some(Stage::Answered(Reply::Granted { .. })))
        }
        Fault::FailStorage => !tab.storage.is_empty() || setup.prompt_storage && !tab.storage_fails,
        Fault::Freeze | Fault::Cache | Fault::Reload => !tab.frozen,
        Fault::LoseMessage | Fault::Late => true,
    }
}
