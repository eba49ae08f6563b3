//! How other packages refresh, as numbers and one rule each, read in what they publish.

use everfresh::core::clock::Millis;

/// When a package refreshes, and what it does when that fails.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The package and its version.
    pub name: &'static str,
    /// Where the rule is written down.
    pub source: &'static str,
    /// What the figures below leave out or assume.
    pub note: &'static str,
    /// The lifetime of access tokens that it is made for, seconds.
    pub lifetime: i64,
    /// It refreshes by itself this long before the end of the token; `None`: when asked only.
    pub lead: Option<Millis>,
    /// It looks whether it is time only so often; 0: it has a timer of its own.
    pub tick: Millis,
    /// A request waits for a refresh when the token is good for no longer than this; `None`: requests
    /// go with what there is.
    pub demand: Option<Millis>,
    /// What follows a refresh that failed.
    pub retry: Retry,
    /// Only a connection that failed is tried again, no answer with an error.
    pub network_only: bool,
}

/// What follows a refresh that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Nothing, ever.
    Never,
    /// Another one after `first`, then after twice as long, up to `longest`.
    Doubling {
        /// The first wait.
        first: Millis,
        /// The longest.
        longest: Millis,
    },
    /// N in a row, the first after `first`, each next one after twice as long; then
    /// none for `pause`.
    Series {
        /// The first wait.
        first: Millis,
        /// How many.
        count: u32,
        /// How long there is none.
        pause: Millis,
    },
    /// None for so long.
    Pause(Millis),
}

/// All that are compared with.
pub const PEERS: [Peer; 5] = [
    Peer {
        name: "jwt-autorefresh 0.2.4",
        source: "src/lib/jwt-autorefresh.js",
        note: "`leadSeconds: 60`, the application's to choose",
        lifetime: 300,
        lead: Some(60_000),
        tick: 0,
        demand: None,
        retry: Retry::Never,
        network_only: false,
    },
    Peer {
        name: "oidc-client-ts 3",
        source: "src/SilentRenewService.ts, src/AccessTokenEvents.ts",
        note: "`automaticSilentRenew`; a failed renewal is the application's to handle",
        lifetime: 300,
        lead: Some(60_000),
        tick: 0,
        demand: None,
        retry: Retry::Never,
        network_only: false,
    },
    Peer {
        name: "@supabase/auth-js 2.109",
        source: "src/GoTrueClient.ts, src/lib/constants.ts",
        note: "auto-refresh looks every 30 s and refreshes within 90 s of the end",
        lifetime: 300,
        lead: Some(90_000),
        tick: 30_000,
        demand: Some(90_000),
        retry: Retry::Series { first: 200, count: 8, pause: 60_000 },
        network_only: false,
    },
    Peer {
        name: "@firebase/auth 1.13",
        source: "src/core/user/proactive_refresh.ts, src/core/user/token_manager.ts",
        note: "its tokens live an hour; shorter ones than 5 minutes would make it loop",
        lifetime: 3_600,
        lead: Some(300_000),
        tick: 0,
        demand: Some(30_000),
        retry: Retry::Doubling { first: 30_000, longest: 960_000 },
        network_only: true,
    },
    Peer {
        name: "@azure/msal-browser 5.29",
        source: "lib/msal-common: TokenCacheContext, ThrottlingUtils",
        note: "refreshes when a token is asked for; the service gives lives of 60 to 90 minutes at \
               random, which spreads better than the hour here",
        lifetime: 3_600,
        lead: None,
        tick: 0,
        demand: Some(300_000),
        retry: Retry::Pause(60_000),
        network_only: false,
    },
];

impl Peer {
    /// How long it is from one refresh to the next, on average.
    #[must_use]
    pub fn period(&self) -> Millis {
        let lifetime = self.lifetime * 1_000;
        let lead = self.lead.or(self.demand).unwrap_or(0);
        let after = lifetime - lead;
        if self.tick > 0 { (after + self.tick - 1) / self.tick * self.tick } else { after }
    }
}
