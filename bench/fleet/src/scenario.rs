//! What befalls the token service, and when the clients sign in.

use everfresh::core::{clock::Millis, entropy::Entropy};

/// One course of events, in lifetimes of an access token where nothing else is said.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Names it in tables and JSON.
    pub name: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    /// All clients sign in within this many milliseconds; else over one period of their policy, as
    /// if they had been there for ever.
    pub burst: Option<Millis>,
    /// What goes wrong.
    pub trouble: Trouble,
    /// How many lifetimes go by before it does.
    pub before: i64,
    /// How many lifetimes go by after it has begun.
    pub after: i64,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    None,
    /// No connection to the token service for so long, milliseconds.
    Outage(Millis),
    /// It answers 503, without `Retry-After`, for so long.
    Unavailable(Millis),
    /// The key that signed all access tokens is gone: the application's servers refuse them.
    LostKey,
}

/// What the token service says to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// New tokens.
    Tokens,
    /// No answer comes.
    Nothing,
    /// 503.
    Unavailable,
}

/// All of them.
pub const SCENARIOS: [Scenario; 5] = [
    Scenario {
        name: "steady",
        title: "steady state",
        burst: None,
        trouble: Trouble::None,
        before: 3,
        after: 6,
    },
    Scenario {
        name: "burst",
        title: "all sign in within 10 s",
        burst: Some(10_000),
        trouble: Trouble::None,
        before: 0,
        after: 12,
    },
    Scenario {
        name: "outage",
        title: "no connection for 10 minutes",
        burst: None,
        trouble: Trouble::Outage(600_000),
        before: 3,
        after: 8,
    },
    Scenario {
        name: "503",
        title: "a minute of 503",
        burst: None,
        trouble: Trouble::Unavailable(60_000),
        before: 3,
        after: 6,
    },
    Scenario {
        name: "lost-key",
        title: "the signing key is lost",
        burst: None,
        trouble: Trouble::LostKey,
        before: 3,
        after: 6,
    },
];

/// A scenario for tokens of one lifetime.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    /// Which.
    pub scenario: Scenario,
    /// Lifetime of an access token.
    pub lifetime: Millis,
    /// When it goes wrong.
    pub from: Millis,
    /// When it is over.
    pub until: Millis,
    /// When no client looks any more.
    pub end: Millis,
}

/// From a request to the token service to its answer.
pub const LATENCY: Millis = 50;

impl Course {
    /// The scenario, for tokens that live so long.
    #[must_use]
    pub const fn new(scenario: Scenario, lifetime: Millis) -> Self {
        let from = scenario.before * lifetime;
        let lasts = match scenario.trouble {
            Trouble::Outage(lasts) | Trouble::Unavailable(lasts) => lasts,
            Trouble::None | Trouble::LostKey => 0,
        };
        let end = from + lasts + scenario.after * lifetime;
        Self { scenario, lifetime, from, until: from + lasts, end }
    }

    /// When a client signs in whose policy refreshes every `period` milliseconds.
    pub fn sign_in(&self, period: Millis, entropy: &mut impl Entropy) -> Millis {
        below(entropy, self.scenario.burst.unwrap_or(period))
    }

    /// What the token service says at this time.
    #[must_use]
    pub fn says(&self, at: Millis) -> Said {
        let in_trouble = (self.from..self.until).contains(&at);
        match self.scenario.trouble {
            Trouble::Outage(_) if in_trouble => Said::Nothing,
            Trouble::Unavailable(_) if in_trouble => Said::Unavailable,
            _ => Said::Tokens,
        }
    }

    /// Whether the application's servers take a token that was issued then, while it lives.
    #[must_use]
    pub fn accepts(&self, issued: Millis, at: Millis) -> bool {
        !(self.scenario.trouble == Trouble::LostKey && issued < self.from && at >= self.from)
    }
}

/// A number from `[0, bound)`.
pub fn below(entropy: &mut impl Entropy, bound: Millis) -> Millis {
    ((u128::from(entropy.next()) * bound.unsigned_abs() as u128) >> 64) as Millis
}
