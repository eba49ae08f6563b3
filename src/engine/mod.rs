//! The engine: the session machine with its queue, its one timer, its storage, its token endpoint,
//! and those who wait for it and look at it. It knows no browser; a [`Host`] brings the platform.
//!
//! Everything that happens is queued and dealt with one after another. Each becomes one input of the
//! machine, whose effects are performed in order while nothing is borrowed: a host may call back at
//! any time. Observers are told when the queue is empty.

#[cfg(all(feature = "virtual", not(target_arch = "wasm32")))]
pub mod canonical;
mod drain;
pub mod endpoint;
pub mod formats;
pub mod host;
pub mod jwt;
#[cfg(any(feature = "virtual", test))]
pub mod native;
pub mod options;
pub mod records;
mod requests;
#[cfg(feature = "virtual")]
pub mod virtual_host;

pub use self::requests::Called;

use std::cell::{Cell, RefCell, RefMut};

use self::{
    endpoint::Endpoint,
    formats::{Formats, Members},
    host::{Host, Line, Notice, Value},
    records::{Records, Storage},
};
use crate::core::{
    error::Error,
    grant::{Grant, Heals, TokenResponse},
    ids::{Attempt, LeaseId, StartId, WaiterId},
    input::Input,
    policy::{Credential, Policy},
    session::Session,
    snapshot::Snapshot,
    stats::Stats,
};

/// What an engine is told to do and how.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The options that the machine decides by.
    pub policy: Policy,
    /// How to get new tokens. Its style decides `policy.credential`.
    pub endpoint: Endpoint,
    /// Where tokens live between page loads.
    pub storage: Storage,
}

/// One session of one name in one tab.
pub struct Engine<H: Host> {
    /// The platform.
    pub host: H,
    state: RefCell<State<H>>,
    /// The queue is being worked off.
    working: Cell<bool>,
    /// Observers are being told.
    telling: Cell<bool>,
    /// The log was told of odd times.
    told_times: Cell<bool>,
}

struct State<H: Host> {
    session: Session<H::Entropy>,
    settings: Settings,
    inbox: Vec<Happening<Value<H>>>,
    records: Records,
    /// In the order in which they came, in which most are answered.
    waiters: Vec<(WaiterId, H::Waiter)>,
    last_waiter: WaiterId,
    last_start: StartId,
    /// The token that was read last, and what it says.
    claims: Option<(String, Option<Value<H>>)>,
    /// What was shown last, and the token that it was about.
    shown: Snapshot,
    token: Option<String>,
    notices: Vec<Notice>,
    /// Nothing that happens counts any more.
    closed: bool,
}

/// One thing that has happened and waits to be dealt with.
#[derive(Clone, Debug)]
enum Happening<V> {
    /// As the machine takes it.
    Input(Input),
    /// Tokens came. What their lead is has to be asked of the application.
    Tokens { grant: Grant, claims: Option<V>, from: Origin },
}

/// Where tokens came from.
#[derive(Clone, Copy, Debug)]
enum Origin {
    Start(StartId),
    Refresh(Attempt),
    Header(LeaseId),
}

impl<H: Host> Engine<H> {
    /// A session in status `unknown`: nothing happens before it is told to.
    pub fn new(host: H, entropy: H::Entropy, settings: Settings) -> Self {
        let settings = settings.with_credential();
        let session = Session::new(settings.policy.clone(), entropy, host.now());
        let shown = session.snapshot();
        let records = Records::new(settings.storage);
        let state = State {
            session,
            settings,
            inbox: Vec::new(),
            records,
            waiters: Vec::new(),
            last_waiter: WaiterId(0),
            last_start: StartId(0),
            claims: None,
            shown,
            token: None,
            notices: Vec::new(),
            closed: false,
        };
        let no = || Cell::new(false);
        let (working, telling, told_times) = (no(), no(), no());
        Self { host, state: RefCell::new(state), working, telling, told_times }
    }

    /// Newer settings win; what is already scheduled stays scheduled.
    pub fn configure(&self, settings: Settings) {
        let mut state = self.state();
        let settings = settings.with_credential();
        state.session.set_policy(settings.policy.clone());
        state.records.storage = settings.storage;
        state.settings = settings;
    }

    /// Begins or replaces the session.
    ///
    /// # Errors
    /// `ERR_INVALID_TOKEN`, `ERR_NO_EXPIRY`: then nothing has changed.
    pub fn start(&self, tokens: TokenResponse) -> Result<StartId, Error> {
        let heals = match self.state().settings.policy.credential {
            Credential::RefreshToken | Credential::Function if tokens.refresh_token.is_some() => {
                Heals::Missing
            }
            Credential::RefreshToken => Heals::Nothing,
            _ => Heals::Unauthorized,
        };
        let (grant, claims) = self.accept(tokens, heals)?;
        let start = self.next_start();
        self.happen(Happening::Tokens { grant, claims, from: Origin::Start(start) });
        Ok(start)
    }

    /// The same where no caller can be told any more that the tokens are bad: they end the session.
    pub fn start_late(&self, tokens: TokenResponse) -> StartId {
        self.start(tokens).unwrap_or_else(|error| {
            self.feed(Input::StartFailed(error));
            self.next_start()
        })
    }

    /// Adopts the token that the response to a request with this lease carried in a header.
    ///
    /// # Errors
    /// `ERR_INVALID_TOKEN`, `ERR_NO_EXPIRY`: then nothing has changed.
    pub fn adopt(&self, access_token: String, lease: LeaseId) -> Result<(), Error> {
        let tokens = TokenResponse { access_token, ..TokenResponse::default() };
        // A header says nothing of the end: the token has to.
        let (grant, claims) = self.accept(tokens, Heals::Nothing)?;
        self.happen(Happening::Tokens { grant, claims, from: Origin::Header(lease) });
        Ok(())
    }

    /// Asks for something that `waiter` is to be told of; `input` makes the input of its name.
    pub fn ask(&self, waiter: H::Waiter, input: impl FnOnce(WaiterId) -> Input) -> WaiterId {
        let id = self.register(waiter);
        self.feed(input(id));
        id
    }

    // One place that can panic, and not one for each call.
    #[inline(never)]
    fn state(&self) -> RefMut<'_, State<H>> {
        self.state.borrow_mut()
    }

    fn register(&self, waiter: H::Waiter) -> WaiterId {
        let state = &mut *self.state();
        state.last_waiter.0 = state.last_waiter.0.wrapping_add(1);
        state.waiters.push((state.last_waiter, waiter));
        state.last_waiter
    }

    /// A caller has given up, and gets no answer.
    pub fn abandon(&self, gone: impl Fn(&H::Waiter) -> bool) {
        let found = {
            let waiters = &mut self.state().waiters;
            let at = waiters.iter().position(|(_, waiter)| gone(waiter));
            at.map(|at| waiters.remove(at).0)
        };
        if let Some(waiter) = found {
            self.feed(Input::Abandon(waiter));
        }
    }

    /// Something happened.
    pub fn feed(&self, input: Input) {
        self.happen(Happening::Input(input));
    }

    /// The timer fired.
    pub fn wake(&self) {
        self.feed(Input::TimerFired);
    }

    /// How the session looks.
    pub fn snapshot(&self) -> Snapshot {
        self.state().session.snapshot()
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        self.state().session.stats().clone()
    }

    /// Looks at the machine.
    pub fn session<T>(&self, look: impl FnOnce(&Session<H::Entropy>) -> T) -> T {
        look(&self.state().session)
    }

    /// Whether the machine waits to hear what storage holds.
    pub fn is_reading(&self) -> bool {
        self.state().records.is_reading()
    }

    /// Whether it was disposed of.
    pub fn is_closed(&self) -> bool {
        self.state().closed
    }

    fn next_start(&self) -> StartId {
        let mut state = self.state();
        state.last_start.0 = state.last_start.0.wrapping_add(1);
        state.last_start
    }

    /// Reads tokens; keeps what the access token says, for the snapshot.
    fn accept(
        &self,
        mut tokens: TokenResponse,
        heals: Heals,
    ) -> Result<(Grant, Option<Value<H>>), Error> {
        tokens.strip();
        let (jwt, claims) = match jwt::read::<H::Formats>(&tokens.access_token) {
            Ok((jwt, claims)) => (Ok(jwt), Some(claims)),
            Err(flaw) => (Err(flaw), None),
        };
        let grant = Grant::accept(tokens, jwt, heals)?;
        if grant.has_odd_times() && !self.told_times.replace(true) {
            self.host.log(Line::OddTimes);
        }
        let read = (grant.access_token.clone(), claims.clone());
        self.state().claims = Some(read);
        Ok((grant, claims))
    }
}

/// Reads what an application gave as tokens: a parsed JSON object, in either spelling. `None` when it
/// is no object.
pub fn read_tokens<F: Formats>(value: &F::Value) -> Option<TokenResponse> {
    F::read::<Members>(value).map(|members| endpoint::tokens::<F>(&members))
}

impl Settings {
    fn with_credential(mut self) -> Self {
        self.policy.credential = self.endpoint.style.credential();
        self
    }
}

impl<H: Host> core::fmt::Debug for Engine<H> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Engine(..)")
    }
}
