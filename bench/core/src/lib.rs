//! The inputs that an engine meets most, each to be repeated and measured.

use std::cell::Cell;

use everfresh::{
    core::{
        clock::{Millis, Now},
        entropy::Seeded,
        grant::TokenResponse,
        ids::WaiterId,
        input::Input,
        policy::Policy,
    },
    engine::{
        Engine, Settings,
        endpoint::{Endpoint, Exchange, Response},
    },
};
use everfresh_bench_fleet::host::LeanHost;
use serde::Deserialize;

/// What each input may cost, as `budget.json` has it.
pub const BUDGET: &str = include_str!("../budget.json");

/// One line of the budget.
#[derive(Clone, Debug, Deserialize)]
pub struct Budget {
    /// The name of an input.
    pub input: String,
    /// At most N, optimised.
    pub instructions: u64,
    /// Exactly N.
    pub allocations: u64,
}

/// One thing that happens often.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Names it.
    pub name: &'static str,
    /// Makes it happen once.
    pub happen: fn(&Tab),
}

/// All that is measured.
pub const CASES: [Case; 7] = [
    Case { name: "a valid token is lent", happen: Tab::lend },
    Case { name: "one more caller waits", happen: Tab::wait },
    Case { name: "the timer fires, nothing is due", happen: Tab::wake },
    Case { name: "the user moves the pointer", happen: Tab::touch },
    Case { name: "another tab tells what is known", happen: Tab::hear },
    Case { name: "storage changes to what is known", happen: Tab::read },
    Case { name: "a whole refresh", happen: Tab::refresh },
];

/// Lifetime of an access token, seconds.
const LIFETIME: Millis = 900;

/// A signed-in tab.
#[derive(Debug)]
pub struct Tab {
    engine: Engine<LeanHost>,
    now: Cell<Millis>,
    /// What it would tell other tabs now.
    told: String,
}

impl Tab {
    /// Signs in; `seed` tells tabs apart.
    #[must_use]
    pub fn signed_in(seed: u64) -> Self {
        let mut tab = Self::opened(seed, 0);
        tab.engine.start_late(TokenResponse {
            access_token: access_token(0),
            refresh_token: Some("refresh".to_owned()),
            expires_in: Some(LIFETIME as f64),
            ..TokenResponse::default()
        });
        tab.told = tab.said().pop().unwrap_or_default();
        tab
    }

    /// Another tab of the same session.
    #[must_use]
    pub fn beside(&self, seed: u64) -> Self {
        let tab = Self::opened(seed, self.now.get());
        tab.engine.host.share_record_of(&self.engine.host);
        tab.engine.ask(WaiterId(0), |waiter| Input::Restore { waiter });
        tab.said().iter().for_each(|text| self.engine.heard(text));
        tab.follow(self, &self.said());
        tab
    }

    fn opened(seed: u64, now: Millis) -> Self {
        let policy = Policy { idle: None, ..Policy::default() };
        let endpoint = Endpoint { url: "/oauth/token".to_owned(), ..Endpoint::default() };
        let settings = Settings { policy, endpoint, ..Settings::default() };
        let engine = Engine::new(LeanHost::new(clocks(now)), Seeded(seed), settings);
        *engine.host.said.borrow_mut() = Some(Vec::new());
        Self { engine, now: Cell::new(now), told: String::new() }
    }

    /// Lends a token that is valid.
    pub fn lend(&self) {
        let input = |waiter| Input::TokenWanted { waiter, min_validity: 0 };
        self.engine.ask(WaiterId(0), input);
        self.engine.host.settled.borrow_mut().clear();
    }

    /// Asks for a token that is valid for longer than the one in use: waits for the next one,
    /// beside all users who did so before.
    pub fn wait(&self) {
        let min_validity = LIFETIME * 2_000;
        self.engine.ask(WaiterId(0), |waiter| Input::TokenWanted { waiter, min_validity });
    }

    /// Wakes it.
    pub fn wake(&self) {
        self.engine.wake();
    }

    /// User input.
    pub fn touch(&self) {
        self.engine.feed(Input::Activity);
    }

    /// Another tab says what this one said when it had signed in.
    pub fn hear(&self) {
        self.engine.heard(&self.told);
    }

    /// Storage says what it said before.
    pub fn read(&self) {
        self.engine.record_changed();
    }

    /// Waits until the next refresh is due, and makes it.
    pub fn refresh(&self) {
        let refreshes = self.engine.stats().outcomes.committed;
        while self.engine.stats().outcomes.committed == refreshes {
            self.pass_to(self.due());
            self.turn();
        }
    }

    /// When it wants to be woken.
    #[must_use]
    pub fn due(&self) -> Millis {
        let after = self.engine.host.wake_after.get().unwrap_or(Millis::MAX / 2);
        self.now.get() + after.max(1)
    }

    /// Time goes by until then.
    pub fn pass_to(&self, now: Millis) {
        self.now.set(now);
        self.engine.host.now.set(clocks(now));
    }

    /// Its timer fires: it gets the lock if it wants it, and new tokens.
    pub fn turn(&self) {
        self.engine.wake();
        while let Some(ticket) = self.engine.host.lock.take() {
            self.engine.feed(Input::LockGranted(ticket));
        }
        let Some(attempt) = self.engine.host.sent.take() else { return };
        let token = access_token(self.now.get());
        let body = format!(
            r#"{{"access_token":"{token}","refresh_token":"refresh","expires_in":{LIFETIME}}}"#
        );
        let response = Response { status: 200, body, ..Response::default() };
        self.engine.responded(Exchange::Refresh(attempt), Some(response));
    }

    /// What it has told other tabs since it was asked last.
    pub fn said(&self) -> Vec<String> {
        self.engine.host.said.borrow_mut().as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Learns what another tab has said and stored.
    pub fn follow(&self, other: &Self, said: &[String]) {
        if said.is_empty() {
            return;
        }
        self.engine.host.share_record_of(&other.engine.host);
        self.engine.record_changed();
        said.iter().for_each(|text| self.engine.heard(text));
    }

    /// How many token sets there have been.
    #[must_use]
    pub fn generation(&self) -> i64 {
        self.engine.snapshot().generation
    }
}

/// Tokens of one length: what grows is not the texts.
fn access_token(now: Millis) -> String {
    format!("token-{now:012}")
}

const fn clocks(now: Millis) -> Now {
    Now { wall: 1_767_225_600_000 + now, monotonic: now }
}
