//! What a search goes through: the alphabet, the bounds, and what is deliberately broken.

use std::fmt;

use everfresh::{
    core::{
        clock::Millis,
        policy::{Credential, Policy},
    },
    engine::{Settings, endpoint::Endpoint, records::Storage},
};

/// Life of an access token, seconds.
pub const LIFE: u32 = 60;

/// One search.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Names it.
    pub name: &'static str,
    /// How many tabs there are.
    pub tabs: usize,
    /// Whether the browser has locks.
    pub locks: bool,
    /// Whether storage answers in the same breath, as `localStorage` does. Else it is a place of the
    /// application's own, and everything else may happen in between.
    pub prompt_storage: bool,
    /// Whether the shared record holds tokens.
    pub shared_tokens: bool,
    /// What may go wrong.
    pub faults: &'static [Fault],
    /// What the user and the application may do.
    pub deeds: &'static [Deed],
    /// How many faults and deeds there are in one run, together.
    pub most_troubles: u8,
    /// How many of them are deeds.
    pub most_deeds: u8,
    /// Faults and deeds come before this, virtual milliseconds after the sign-in.
    pub trouble_until: Millis,
    /// A run ends here, and everything has to be well by then.
    pub horizon: Millis,
    /// What is wrong with the world, on purpose.
    pub defect: Option<Defect>,
}

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A message between tabs is lost.
    LoseMessage,
    /// A request never arrives, and the page is told.
    LoseRequest,
    /// The server has acted, its answer is lost, and the page is told.
    LoseAnswer,
    /// The server has acted, and the page never hears of it.
    Swallow,
    /// A proxy answers 503 instead of the server.
    Refuse,
    /// A request arrives twice, the second time at any later moment.
    Repeat,
    /// Storage cannot be read or written the next time that this tab tries.
    FailStorage,
    /// A page is frozen as it stands; it may run again at any later moment.
    Freeze,
    /// The same, with a word of warning before it.
    Cache,
    /// A page is loaded again.
    Reload,
    /// Whatever is under way takes longer than the next timer.
    Late,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::LoseMessage,
        Self::LoseRequest,
        Self::LoseAnswer,
        Self::Swallow,
        Self::Refuse,
        Self::Repeat,
        Self::FailStorage,
        Self::Freeze,
        Self::Cache,
        Self::Reload,
        Self::Late,
    ];
}

/// Something that somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// The user signs out.
    SignOut,
    /// A request that carried the token gets 401.
    Unauthorized,
    /// The application asks for new claims.
    Refresh,
    /// Somebody asks for a token.
    WantToken,
}

/// A deliberate mistake in the world around the machine, which a search has to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// The lock is given to a second tab while the first still has it.
    LockGrantedTwice,
    /// The server does not remember with which key it rotated.
    ServerForgetsKeys,
    /// The server answers a repeated request with one more rotation.
    ServerRotatesAgain,
    /// Storage says that it stored a record, and did not.
    StorageForgets,
    /// Storage says that it stored a record while it still lies on the way.
    StorageAnswersEarly,
    /// Storage shows nothing to a tab that is about to write: what lies there is replaced instead of
    /// joined.
    StorageOverwrites,
    /// Every rotation key of a tab is the same.
    KeysRepeat,
    /// The shell goes on using a lease that was taken back.
    LeaseIsKept,
    /// The shell has no timers.
    TimersNeverFire,
    /// The shell loses what it should hand to a caller.
    SettlementsAreLost,
    /// A proxy answers 401 where a proxy that is busy would answer 503.
    ProxySaysNo,
    /// The shell takes the answer to an attempt that was given up for the answer to the next one.
    AnswersAreMixedUp,
    /// Sign-out is revoked at the server, and no other tab and no storage hears of it.
    SignOutStaysSecret,
}

impl Setup {
    /// The options of every tab. No jitter: all tabs want to refresh in the same millisecond.
    #[must_use]
    pub fn policy() -> Policy {
        Policy {
            lead: 20_000,
            jitter: 0,
            min_interval: 5_000,
            idle: None,
            warn: 0,
            timeout: 10_000,
            wait: Some(30_000),
            credential: Credential::RefreshToken,
            ..Policy::default()
        }
    }

    pub(crate) fn settings(&self) -> Settings {
        let storage = match (self.shared_tokens, self.prompt_storage) {
            (false, _) => Storage::Memory,
            (true, true) => Storage::Local,
            (true, false) => Storage::Custom,
        };
        let endpoint = Endpoint {
            url: "/token".to_owned(),
            revoke_url: Some("/revoke".to_owned()),
            ..Endpoint::default()
        };
        Settings { policy: Self::policy(), endpoint, storage }
    }

    pub(crate) fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    /// The searches that are made in every test, by name.
    #[must_use]
    pub fn all() -> Vec<Self> {
        use Deed::{Refresh, SignOut, Unauthorized, WantToken};
        use Fault::{Freeze, LoseAnswer, LoseMessage, Swallow};
        let two = Self {
            name: "two tabs",
            tabs: 2,
            locks: true,
            prompt_storage: true,
            shared_tokens: true,
            faults: &Fault::ALL,
            deeds: &[SignOut, Unauthorized, Refresh, WantToken],
            most_troubles: 2,
            most_deeds: 1,
            trouble_until: 85_000,
            horizon: 150_000,
            defect: None,
        };
        vec![
            Self { name: "two tabs without locks", locks: false, ..two.clone() },
            Self { name: "two tabs, tokens in memory", shared_tokens: false, ..two.clone() },
            Self {
                name: "two tabs, slow storage",
                prompt_storage: false,
                most_troubles: 1,
                ..two.clone()
            },
            Self {
                name: "three tabs",
                tabs: 3,
                faults: &[LoseMessage, LoseAnswer, Swallow, Freeze],
                deeds: &[SignOut, Unauthorized],
                most_troubles: 1,
                ..two.clone()
            },
            two,
        ]
    }

    /// The search of this name, with this mistake in its world.
    #[must_use]
    pub fn with(name: &str, defect: Defect) -> Option<Self> {
        let setup = Self::all().into_iter().find(|setup| setup.name == name)?;
        Some(Self { defect: Some(defect), ..setup })
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: at most {} of these in one run, before {} s of {} s: faults {:?}; deeds (at most {}) {:?}",
            self.name,
            self.most_troubles,
            self.trouble_until / 1_000,
            self.horizon / 1_000,
            self.faults,
            self.most_deeds,
            self.deeds
        )
    }
}
