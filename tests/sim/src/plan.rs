//! What a world is made of: drawn from a seed, and small enough to be cut down when it fails.

use std::fmt;

use everfresh::{
    core::{
        clock::Millis,
        policy::{Credential, IdleMode, Policy},
    },
    engine::{Settings, records},
};
use everfresh_server::rotation::Rules;

use crate::{
    foreign,
    rng::Rng,
    wire::{Tokens, Wire},
};

/// Everything that decides how a world goes.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where chance comes from.
    pub seed: u64,
    /// How long it lasts.
    pub length: Millis,
    /// The tabs that are there from the start.
    pub tabs: usize,
    /// How the session is kept.
    pub policy: Policy,
    /// Where the tabs keep tokens.
    pub storage: Storage,
    /// What the lock manager does.
    pub locks: Locks,
    /// How the server rotates.
    pub rules: Rules,
    /// Life of an access token, seconds.
    pub access_ttl: u32,
    /// What the server says of them.
    pub hints: Hints,
    /// How it says it.
    pub wire: Wire,
    /// Device clock minus server clock.
    pub skew: Millis,
    /// The device's monotonic clock stands still while it sleeps.
    pub monotonic_sleeps: bool,
    /// How often things go wrong, per thousand.
    pub odds: Odds,
    /// What happens, in order of time.
    pub actions: Vec<(Millis, Action)>,
}

/// What the server says beside its tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// When to refresh, seconds.
    pub refresh_in: Option<u32>,
    /// How old a session may become, seconds.
    pub max_age: Option<u32>,
}

/// How often things go wrong, per thousand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Odds {
    /// A request never arrives.
    pub lost_request: u32,
    /// The server has acted, and its answer never arrives.
    pub lost_response: u32,
    /// A request arrives twice.
    pub duplicated: u32,
    /// An answer takes up to half a minute.
    pub slow: u32,
    /// The way to the server answers instead: 408, 429, 5xx, HTML.
    pub refused: u32,
    /// A message between tabs is lost.
    pub lost_message: u32,
    /// A message between tabs takes up to ten seconds.
    pub late_message: u32,
    /// A message between tabs comes again, up to ten seconds later.
    pub repeated_message: u32,
    /// A place of storage fails to be read or written; it does not fail a tab twice in a row.
    pub failed_storage: u32,
    /// Storage of the application's own takes up to four seconds, and not as long as it likes.
    pub slow_storage: u32,
    /// Reads in other tabs lag behind by this much, milliseconds.
    pub read_lag: Millis,
}

/// Where the tabs keep tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// The shared record has them.
    Local,
    /// Only the tabs' memories have them.
    Memory,
    /// Each tab has its own copy.
    Session,
    /// A place of the application's own has them, which takes its time.
    Custom,
    /// There is no storage at all.
    Broken,
}

/// What the lock manager does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locks {
    /// What it should.
    Working,
    /// There is none.
    Absent,
    /// Never grants anything.
    Stuck,
    /// Grants up to twenty seconds late.
    Late,
    /// Is taken from whoever holds it, now and then, without a word.
    Stolen,
}

/// Something that somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The user moves the pointer.
    Input(usize),
    /// The application sends a request.
    Request(usize),
    /// The application asks for new claims.
    Refresh(usize),
    /// The tab goes to the back or comes to the front.
    Hide(usize),
    /// The tab comes to the front.
    Show(usize),
    /// The browser freezes the tab; with a word of warning or without.
    Freeze(usize, bool),
    /// The browser lets it run again.
    Resume(usize),
    /// The page is loaded again.
    Reload(usize),
    /// The tab is gone, without a word.
    Crash(usize),
    /// A new tab.
    Open,
    /// A copy of a tab, its own storage included.
    Clone(usize),
    /// The device sleeps.
    Sleep(Millis),
    /// Somebody sets the clock.
    SetClock(Millis),
    /// No network for so long.
    Offline(Millis),
    /// The application's server takes no token for so long, and the tab asks it again and again.
    Distrust(usize, Millis),
    /// Something begins or ends in the tab that counts as input all the time.
    Hold(usize, bool),
    /// Storage is wiped, or something else is written there.
    Wipe(bool),
    /// The user signs out.
    SignOut(usize),
    /// The application cancels in one tab.
    Cancel(usize),
    /// Somebody signs in, the same user or another.
    SignIn(usize, bool),
    /// An administrator ends the session.
    Revoke,
    /// Nothing goes wrong for this long, but for what users do.
    Calm(Millis),
    /// A thief copies what a tab has and goes on refreshing with it.
    Steal(usize, Theft),
}

/// What the thief does with the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Theft {
    /// Refreshes at his own pace with keys of his own; some are faster than the owner.
    OwnKeys,
    /// Refreshes with a key of his own, only and each time right after the owner.
    Close,
    /// Copies while a request of the tab is under way, uses its key once, and goes on with keys of
    /// his own at his own pace.
    PendingKey,
}

/// The server's own, but for its idle limit: these sessions end by the tabs' policy.
fn rules() -> Rules {
    Rules { idle: None, ..Rules::default() }
}

impl Hints {
    /// How old a session may become.
    #[must_use]
    pub fn max_age(&self) -> Option<Millis> {
        self.max_age.map(|seconds| Millis::from(seconds) * 1_000)
    }
}

impl Plan {
    /// The world of a seed.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let tabs = rng.pick(&[1, 1, 2, 2, 2, 3, 3, 4, 5, 8, 20]);
        let access_ttl = rng.pick(&[20, 60, 60, 120, 300, 300, 900]);
        let calm = rng.chance(150);
        let storage = rng.pick(&[
            Storage::Local,
            Storage::Local,
            Storage::Local,
            Storage::Memory,
            Storage::Memory,
            Storage::Session,
            Storage::Custom,
            Storage::Broken,
        ]);
        let locks = rng.pick(&[
            Locks::Working,
            Locks::Working,
            Locks::Working,
            Locks::Absent,
            Locks::Stuck,
            Locks::Late,
            Locks::Stolen,
        ]);
        // A store that fails and a lock that does leave nothing to agree by: stated as a limit.
        let locks = if storage == Storage::Broken { Locks::Working } else { locks };
        let mut odds = if calm { Odds::default() } else { Odds::random(&mut rng, locks) };
        if storage == Storage::Broken {
            (odds.lost_message, odds.late_message) = (0, 0);
        }
        if storage == Storage::Custom {
            (odds.read_lag, odds.slow_storage) = (0, rng.pick(&[0, 0, 20, 100]));
        }
        let policy = policy(&mut rng);
        let length = Millis::from(access_ttl) * 1_000 * rng.between(4, 24);
        let mut plan = Self {
            seed,
            length,
            tabs,
            policy,
            storage,
            locks,
            rules: rules(),
            access_ttl,
            hints: Hints {
                refresh_in: rng.chance(150).then_some(access_ttl / 2),
                max_age: rng.chance(150).then(|| access_ttl * rng.pick(&[3, 6, 12])),
            },
            wire: Wire::random(&mut rng),
            skew: rng.pick(&[0, 0, 0, 7_200_000, -7_200_000, 86_400_000, -86_400_000]),
            monotonic_sleeps: rng.chance(500),
            odds,
            actions: Vec::new(),
        };
        plan.actions = plan.script(&mut rng);
        plan.calm_down();
        // Chance of its own: the worlds without cookies stay what they were.
        if Rng::new(seed ^ 0x00c0_0c1e).chance(125) {
            plan.wire.cookie = true;
            // A page load that finds a cookie and nothing else begins anew: a stated limit.
            plan.actions.retain(|(_, action)| !matches!(action, Action::Wipe(_)));
            plan.policy.credential = Credential::Cookie;
        } else {
            foreign::draw(&mut plan);
        }
        plan
    }

    /// In one of four worlds where things go wrong they do not for a while, twice. Chance of its own:
    /// the others stay what they were.
    fn calm_down(&mut self) {
        let mut rng = Rng::new(self.seed ^ 0x0ca1_3000);
        if self.odds == Odds::default() || !rng.chance(250) {
            return;
        }
        for _ in 0..2 {
            let at = rng.between(0, self.length);
            self.actions.push((at, Action::Calm(rng.between(120, 600) * 1_000)));
        }
        self.actions.sort_by_key(|(at, _)| *at);
    }

    /// An ordinary day: five tabs for 24 hours, somebody at work, and nothing goes wrong.
    #[must_use]
    pub fn day(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let minute = 60_000;
        let actions = (0..24 * 60 / 5).flat_map(|turn| {
            let at = turn * 5 * minute;
            let (tab, other) = (rng.between(0, 4) as usize, rng.between(0, 4) as usize);
            [(at, Action::Input(tab)), (at + minute, Action::Request(other))]
        });
        Self {
            seed,
            length: 24 * 60 * minute,
            tabs: 5,
            policy: Policy::default(),
            storage: Storage::Local,
            locks: Locks::Working,
            rules: rules(),
            access_ttl: 900,
            hints: Hints::default(),
            wire: Wire::default(),
            skew: 0,
            monotonic_sleeps: false,
            odds: Odds::default(),
            actions: actions.collect(),
        }
    }

    fn script(&self, rng: &mut Rng) -> Vec<(Millis, Action)> {
        let mut actions = Vec::new();
        let busy = rng.chance(800);
        let drama = rng.between(0, 12);
        let routine = rng.between(5, 60) * if busy { 2 } else { 1 };
        let any = |rng: &mut Rng| rng.between(0, self.tabs as i64 + 1) as usize;
        let mut at = |rng: &mut Rng, action| actions.push((rng.between(0, self.length), action));
        for _ in 0..routine {
            let tab = any(rng);
            let action =
                if busy && rng.chance(500) { Action::Input(tab) } else { Action::Request(tab) };
            at(rng, action);
        }
        for _ in 0..drama {
            let tab = any(rng);
            let action = match rng.between(0, 32) {
                0..=2 => Action::Refresh(tab),
                3..=5 => Action::Hide(tab),
                6..=8 => Action::Show(tab),
                9..=10 => Action::Freeze(tab, rng.chance(700)),
                11..=13 => Action::Resume(tab),
                14..=16 => Action::Reload(tab),
                17 => Action::Crash(tab),
                18..=19 => Action::Open,
                20 => Action::Clone(tab),
                21..=22 => Action::Sleep(rng.between(1, 20_000) * 1_000),
                23 => Action::SetClock(rng.between(-90_000, 90_000) * 1_000),
                24..=25 => Action::Offline(rng.between(1, 2_000) * 1_000),
                26 => Action::Wipe(rng.chance(300)),
                27 => Action::Cancel(tab),
                29 => Action::Distrust(tab, rng.between(1, 60) * 1_000),
                30..=31 => Action::Hold(tab, rng.chance(500)),
                28 => match rng.between(0, 3) {
                    0 => Action::SignOut(tab),
                    1 => Action::SignIn(tab, false),
                    2 => Action::SignIn(tab, true),
                    _ => Action::Revoke,
                },
                _ if rng.chance(300) => {
                    Action::Steal(tab, rng.pick(&[Theft::OwnKeys, Theft::Close, Theft::PendingKey]))
                }
                _ => Action::Request(tab),
            };
            at(rng, action);
        }
        // Stated limits. With storage that lags, a page that has just been loaded or that runs
        // again, or attempts that fail within milliseconds, can let two tabs make a key each; and a
        // tab that stood still while storage was wiped has nothing to learn from.
        if self.odds.read_lag > 0 {
            use Action::{Clone, Freeze, Offline, Open, Reload, Sleep};
            actions.retain(|(_, action)| {
                !matches!(action, Clone(_) | Freeze(..) | Offline(_) | Open | Reload(_) | Sleep(_))
            });
        }
        // So has one whose key was wiped away where there is no lock that works, and a page that
        // finds nothing but a copy of its own, which the other tabs may have left behind.
        let own_copies = self.storage == Storage::Session && self.odds.lost_message > 0;
        let forgets = |action: &Action| match action {
            Action::Freeze(..) | Action::Sleep(_) => true,
            Action::Reload(_) | Action::Clone(_) => own_copies,
            _ => false,
        };
        if self.locks != Locks::Working || actions.iter().any(|(_, action)| forgets(action)) {
            actions.retain(|(_, action)| !matches!(action, Action::Wipe(_)));
        }
        // A key that could not be stored is gone with its page.
        if self.odds.failed_storage > 0 || self.storage == Storage::Broken {
            use Action::{Crash, Freeze, Reload};
            actions.retain(|(_, action)| !matches!(action, Crash(_) | Freeze(..) | Reload(_)));
        }
        // Without storage a key that another tab told of just before the device slept may be heard
        // of only after the lock was granted.
        if self.storage == Storage::Broken {
            actions.retain(|(_, action)| !matches!(action, Action::Sleep(_)));
        }
        // The server remembers eight rotations: what is older and still on its way is theft to it.
        if self.odds.duplicated > 0 || self.odds.slow > 0 {
            actions.retain(|(_, action)| !matches!(action, Action::Distrust(..)));
        }
        actions.sort_by_key(|(at, _)| *at);
        actions
    }

    pub(crate) fn settings(&self) -> Settings {
        let storage = match self.storage {
            Storage::Local => records::Storage::Local,
            Storage::Memory | Storage::Broken => records::Storage::Memory,
            Storage::Session => records::Storage::Session,
            Storage::Custom => records::Storage::Custom,
        };
        Settings { policy: self.policy.clone(), endpoint: self.wire.endpoint(), storage }
    }

    /// How old a session may become, whoever limits it.
    #[must_use]
    pub fn max_age(&self) -> Option<Millis> {
        self.hints.max_age().into_iter().chain(self.policy.max_session).min()
    }

    /// Whether the lock can be trusted to keep refreshes apart.
    #[must_use]
    pub fn locks_keep_apart(&self) -> bool {
        // Where each holder waits for storage for seconds, the last in the line gives the lock up.
        let prompt = self.odds.slow_storage == 0;
        let heard = self.odds.failed_storage == 0 && self.odds.lost_message == 0;
        self.locks == Locks::Working && heard && prompt
    }
}

impl Storage {
    /// Whether every tab finds the newest tokens there.
    #[must_use]
    pub const fn shares_tokens(self) -> bool {
        matches!(self, Self::Local | Self::Custom)
    }
}

impl Wire {
    fn random(rng: &mut Rng) -> Self {
        Self {
            json: rng.chance(250),
            key_in_header: rng.chance(200),
            tokens: rng.pick(&[
                Tokens::Jwt,
                Tokens::Jwt,
                Tokens::Jwt,
                Tokens::ExpAlone,
                Tokens::ExpAlone,
                Tokens::Opaque,
                Tokens::Dotted,
            ]),
            camel: rng.chance(200),
            texts: rng.chance(200),
            more: rng.chance(200),
            cookie: false,
            lapses: false,
            foreign: None,
        }
    }
}

impl Odds {
    fn random(rng: &mut Rng, locks: Locks) -> Self {
        let odds = |rng: &mut Rng| rng.pick(&[0, 0, 20, 100, 300]);
        let lone = locks != Locks::Working;
        // A tab must hear of the others somehow: storage that lags or refuses, and messages that
        // get lost, together leave it nothing. That is a stated limit.
        let lags = !lone && rng.chance(300);
        let lost_message = if lone || lags { 0 } else { odds(rng) };
        let late_message = if lone || lags { 0 } else { odds(rng) };
        let heard = lost_message == 0 && late_message == 0;
        Self {
            lost_request: odds(rng),
            lost_response: odds(rng),
            duplicated: odds(rng),
            slow: odds(rng),
            refused: odds(rng),
            lost_message,
            late_message,
            repeated_message: odds(rng),
            failed_storage: if lone || !heard { 0 } else { rng.pick(&[0, 0, 50]) },
            slow_storage: 0,
            // Without a lock the tabs wait for longer than a store may lag by nature.
            read_lag: match (lags, locks) {
                (true, _) => rng.pick(&[50, 200]),
                (false, Locks::Absent) => rng.pick(&[0, 0, 20]),
                _ => 0,
            },
        }
    }
}

fn policy(rng: &mut Rng) -> Policy {
    Policy {
        lead: rng.pick(&[10, 30, 60, 120]) * 1_000,
        jitter: rng.pick(&[0, 5, 30]) * 1_000,
        min_interval: rng.pick(&[1, 5, 5]) * 1_000,
        idle: rng.pick(&[None, None, Some(120), Some(600), Some(1_800)]).map(|s: Millis| s * 1_000),
        idle_mode: rng.pick(&[IdleMode::Lapse, IdleMode::Lapse, IdleMode::End]),
        warn: rng.pick(&[0, 15, 60]) * 1_000,
        max_session: rng.pick(&[None, None, None, Some(3_600_000)]),
        credential: Credential::RefreshToken,
        ..Policy::default()
    }
}

impl fmt::Display for Theft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OwnKeys => "at his own pace",
            Self::Close => "right after the owner",
            Self::PendingKey => "first with the owner's pending key",
        })
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {}: {} tabs, {:?} storage, locks {:?}, tokens of {} s, {} s long, skew {} s",
            self.seed,
            self.tabs,
            self.storage,
            self.locks,
            self.access_ttl,
            self.length / 1_000,
            self.skew / 1_000,
        )?;
        writeln!(f, "{:?}", self.hints)?;
        writeln!(f, "{:?}", self.wire)?;
        writeln!(f, "{:?}", self.odds)?;
        writeln!(f, "{:?}", self.policy)?;
        for (at, action) in &self.actions {
            writeln!(f, "  {:>9.3} s  {action:?}", *at as f64 / 1_000.0)?;
        }
        Ok(())
    }
}
