//! The promises, looked at in every state.

use everfresh::core::{
    effect::Outcome, event::Event, reason::EndReason, record::Record, snapshot::Status,
};

use crate::{
    setup::Setup,
    tab::{Call, Stage},
    world::World,
};

impl World {
    pub(crate) fn broken(&mut self, promise: &str) {
        self.broken.get_or_insert_with(|| promise.to_owned());
    }

    /// After everything that reaches the server.
    pub(crate) fn watch_server(&mut self) {
        if self.server.saw_reuse() && self.past.unreadable && self.past.faults > 1 {
            self.limit = Some("storage failed, and something else went wrong");
        } else if self.server.saw_reuse() && !self.past.signed_out {
            self.broken("honest tabs are never taken for thieves");
        }
        if self.server.advanced_twice() {
            self.broken("one family advance per rotation key");
        }
    }

    /// After everything that a tab sends.
    pub(crate) fn watch_flights(&mut self, setup: &Setup) {
        let mut flying = 0;
        for tab in &self.tabs {
            flying +=
                usize::from(matches!(&tab.flight, Some(it) if !matches!(it.stage, Stage::Lost)));
        }
        if flying > 1 && setup.locks && !self.past.strained {
            self.broken("one refresh at a time while locks work");
        }
    }

    pub(crate) fn watch_event(&mut self, id: usize, event: &Event) {
        match event {
            Event::Started => {
                if self.tabs[id].signed_in {
                    self.broken("a session starts once");
                }
                self.tab(id).signed_in = true;
            }
            Event::SignedOut { reason } => {
                if !self.tabs[id].signed_in {
                    self.broken("an end is told once");
                }
                self.tab(id).signed_in = false;
                self.watch_end(*reason);
            }
            _ => {}
        }
    }

    fn watch_end(&mut self, reason: EndReason) {
        let cause = match reason {
            // Whoever is signed out may be told so by the server first, in its own words.
            EndReason::SignedOut | EndReason::Revoked | EndReason::Reuse => self.past.signed_out,
            EndReason::LoginRequired => self.past.signed_out || self.may_lose_tokens(),
            _ => false,
        };
        if !cause {
            self.broken(&format!("no sign-out without a cause, but: {}", reason.as_str()));
        }
    }

    /// What storage holds.
    fn record(&self) -> Option<Record> {
        self.disk.as_deref().and_then(Record::decode)
    }

    /// Where tokens live in the tabs alone, the newest go with the tab that has them.
    fn may_lose_tokens(&self) -> bool {
        let kept = self.record().is_some_and(|record| holds_tokens(&record));
        !kept && self.past.forgetful
    }

    pub(crate) fn watch_settled(&mut self, id: usize, call: Option<&Call>, outcome: &Outcome) {
        let Some(call) = call else {
            self.broken("everybody is settled once");
            return;
        };
        if self.now > call.until && !self.past.strained {
            self.broken("nobody waits beyond the bound");
        }
        if matches!(outcome, Outcome::Token(_)) && self.tabs[id].over() {
            self.broken("no token after the end");
        }
    }

    /// After every turn of a tab's machine.
    pub(crate) fn watch_tab(&mut self, id: usize, leaves: bool, setup: &Setup) {
        let tab = &self.tabs[id];
        let over = tab.over();
        let alarm = tab.alarm();
        if over && (tab.lease.is_some() || tab.flight.is_some()) {
            self.broken("no token and no refresh after the end");
        } else if !over && tab.has_valid_token(self.now) && tab.lease.is_none() && !tab.is_reading()
        {
            self.broken("a valid token is never withheld");
        } else if !leaves && alarm.is_some_and(|at| at <= self.now) {
            self.broken("no deadline is left behind");
        } else if tab.calls.iter().any(|call| alarm.is_none_or(|at| at > call.until))
            && self.now < setup.horizon
        {
            self.broken("whoever waits has an alarm set for them");
        }
    }

    /// At the end of a run, when everything has been well for long enough.
    pub fn watch_last(&mut self) {
        let now = self.now;
        for id in 0..self.tabs.len() {
            let tab = &self.tabs[id];
            if tab.frozen {
                continue;
            }
            if tab.alarm().is_some_and(|at| at <= now) {
                self.broken("no deadline is left behind");
            } else if tab.calls.iter().any(|call| call.until < now) {
                self.broken("everybody who waits is settled");
            } else if self.past.signed_out {
                if !tab.over() {
                    self.broken("a sign-out reaches every tab");
                }
            } else if tab.status() != Status::Active || tab.lease.is_none() {
                let lost = tab.over() && self.may_lose_tokens();
                if !lost {
                    self.broken("every tab has a token once all is well");
                }
            }
        }
        if self.past.signed_out && self.server.alive() {
            self.broken("a sign-out reaches the server");
        }
        let written = !self.past.unreadable && self.tabs.iter().all(|tab| tab.storage.is_empty());
        if self.past.signed_out
            && written
            && self.record().is_some_and(|record| record.ended().is_none())
        {
            self.broken("a sign-out is written down");
        }
    }
}

fn holds_tokens(record: &Record) -> bool {
    // Only what would be stored with tokens differs from what would be stored without.
    record.encode(true) != record.encode(false)
}
