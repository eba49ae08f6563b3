//! One tab with the real engine in it; everything around it is a model. Time is virtual.
#![allow(dead_code, reason = "each test file uses its own part of the rig")]

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use everfresh::{
    core::{
        clock::{Millis, Now},
        effect::{Deadline, Lease, Outcome},
        entropy::Seeded,
        error::Error,
        event::Event,
        grant::TokenResponse,
        ids::{Attempt, LeaseId, RevokeId, StartId, Ticket, WaiterId},
        input::Input,
        policy::{Credential, Policy},
        reason::EndReason,
        session::Session,
        snapshot::{Snapshot, Status},
        stats::Stats,
    },
    engine::{
        Engine, Settings,
        endpoint::{Endpoint, Exchange, Response, Style},
        host::{self, Line, Load, Loaded, Place},
        records::Storage,
        virtual_host::{Text, VirtualHost, Want},
    },
};

use crate::wire::{Answer, Sent, called, granted, is_everywhere, jwt, refusal};

/// More steps than this in one drive are a livelock.
const MAX_STEPS: u32 = 10_000;

/// 2026-01-01, in milliseconds.
pub(crate) const EPOCH: Millis = 1_767_225_600_000;

/// A place of storage, as text, as a browser keeps it.
pub(crate) type Store = Rc<RefCell<Option<String>>>;

pub(crate) struct Tab {
    pub(crate) engine: Engine<VirtualHost<Seeded>>,
    pub(crate) now: Now,
    /// What the tabs of one browser share.
    pub(crate) store: Store,
    /// What this tab alone stores, where tabs have a place of their own.
    pub(crate) own: Option<String>,
    /// Texts that were no records.
    pub(crate) aside: Vec<(Place, String)>,
    /// Refreshes that nobody has answered yet.
    pub(crate) sent: VecDeque<(Attempt, Sent)>,
    /// Every refresh request that ever left.
    pub(crate) requests: Vec<(Millis, Sent)>,
    pub(crate) aborted: Vec<Attempt>,
    pub(crate) settled: Vec<(WaiterId, Outcome)>,
    pub(crate) events: Vec<Event>,
    /// What the application's log was told.
    pub(crate) lines: Vec<Line>,
    pub(crate) said: VecDeque<String>,
    pub(crate) revokes: Vec<RevokeId>,
    /// For each revocation, whether it is about all of the user's sessions.
    pub(crate) everywhere: Vec<bool>,
    pub(crate) lease: Option<Lease>,
    /// How often the page was told of another lease, or that there is none.
    pub(crate) leases: u32,
    pub(crate) locks_held: u32,
    /// How often the engine let go of its host.
    pub(crate) closed: u32,
    /// The request for the lock that nobody has answered yet, or that another tab grants.
    pub(crate) ticket: Option<Ticket>,
    /// Locks are granted at once; else they are left waiting.
    pub(crate) grants_locks: bool,
    pub(crate) storage_works: bool,
    /// Storage answers nothing until it is told to.
    pub(crate) slow_storage: bool,
    /// What slow storage was asked for, in order.
    pub(crate) loads: VecDeque<Load>,
    pub(crate) stores: VecDeque<(host::Store, String)>,
    /// The last thing that the page said is that it leaves: what is due may wait.
    left: bool,
    settings: Settings,
    waiters: WaiterId,
    abandoned: Vec<WaiterId>,
    tokens: u32,
}

impl Tab {
    pub(crate) fn new(policy: Policy) -> Self {
        Self::with_store(policy, 1, Store::default())
    }

    pub(crate) fn with_store(policy: Policy, seed: u64, store: Store) -> Self {
        Self::open(policy, seed, store, Now { wall: EPOCH, monotonic: 0 })
    }

    /// A page that is loaded at this time. Its tokens lie in the storage of all tabs.
    pub(crate) fn open(policy: Policy, seed: u64, store: Store, now: Now) -> Self {
        let style = match policy.credential {
            Credential::RefreshToken => Style::OAuth2,
            Credential::AccessToken => Style::Renew,
            Credential::Cookie => Style::Cookie,
            Credential::Function => Style::Function,
        };
        let revoke_url = Some("https://auth.test/revoke".to_owned());
        let endpoint = Endpoint { style, revoke_url, ..Endpoint::default() };
        let settings = Settings { policy, endpoint, storage: Storage::Local };
        Self {
            engine: Engine::new(VirtualHost::new(now), Seeded(seed), settings.clone()),
            now,
            store,
            own: None,
            aside: Vec::new(),
            sent: VecDeque::new(),
            requests: Vec::new(),
            aborted: Vec::new(),
            settled: Vec::new(),
            events: Vec::new(),
            lines: Vec::new(),
            said: VecDeque::new(),
            revokes: Vec::new(),
            everywhere: Vec::new(),
            lease: None,
            leases: 0,
            locks_held: 0,
            closed: 0,
            ticket: None,
            grants_locks: true,
            storage_works: true,
            slow_storage: false,
            loads: VecDeque::new(),
            stores: VecDeque::new(),
            left: false,
            settings,
            waiters: WaiterId(0),
            abandoned: Vec::new(),
            tokens: 0,
        }
    }

    /// Signed in with a fresh five-minute token.
    pub(crate) fn signed_in(policy: Policy) -> Self {
        let mut tab = Self::new(policy);
        tab.start(300);
        tab
    }

    pub(crate) fn configure(&mut self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings);
        self.engine.configure(self.settings.clone());
    }

    pub(crate) fn keep_tokens(&mut self, storage: Storage) {
        self.configure(|settings| settings.storage = storage);
    }

    pub(crate) fn keeps_tokens(&self) -> Storage {
        self.settings.storage
    }

    pub(crate) fn feed(&mut self, input: Input) {
        self.left = matches!(input, Input::Leaving);
        self.run(|engine| engine.feed(input));
    }

    /// Calls the engine, and does all that it wants done.
    pub(crate) fn run<T>(&mut self, act: impl FnOnce(&Engine<VirtualHost<Seeded>>) -> T) -> T {
        self.engine.host.set_now(self.now);
        let made = act(&self.engine);
        self.check_deadline();
        let mut steps = 0;
        while let Some(want) = self.engine.host.next() {
            steps += 1;
            assert!(steps < MAX_STEPS, "livelock: one step leads to the next without an end");
            if self.perform(want) {
                self.check_deadline();
            }
        }
        let shown = self.engine.host.shown();
        assert_eq!(shown.snapshot.unwrap_or_default(), self.snapshot(), "what is so is shown");
        made
    }

    fn check_deadline(&self) {
        let overdue = self.deadline().filter(|deadline| !self.left && deadline.after <= 0);
        assert_eq!(overdue, None, "a deadline that has passed must have been dealt with");
    }

    /// Does one thing; says whether the engine heard of it.
    fn perform(&mut self, want: Want) -> bool {
        match want {
            Want::Load(load) if self.slow_storage => self.loads.push_back(load),
            Want::Store(store, Text(text)) if self.slow_storage => {
                self.stores.push_back((store, text));
            }
            Want::Load(load) => {
                self.engine.loaded(load, self.look(load.place));
                return true;
            }
            Want::Store(store, Text(text)) => {
                let works = self.put(store.place, Some(text));
                self.engine.stored(store, works);
                return true;
            }
            Want::Remove(place) => {
                self.put(place, None);
            }
            Want::SetAside(place, Text(text)) => self.aside.push((place, text)),
            Want::RequestLock(ticket) if self.grants_locks => {
                self.locks_held += 1;
                self.engine.feed(Input::LockGranted(ticket));
                return true;
            }
            Want::RequestLock(ticket) => self.ticket = Some(ticket),
            Want::ReleaseLock(ticket) => {
                self.locks_held = self.locks_held.saturating_sub(1);
                self.ticket = self.ticket.filter(|asked| *asked != ticket);
            }
            Want::Broadcast(Text(text)) => self.said.push_back(text),
            Want::Send(Exchange::Refresh(attempt), request) => {
                self.send(attempt, (&request).into())
            }
            Want::Call(attempt, request) => self.send(attempt, request.into()),
            Want::Send(Exchange::Revoke(revoke), request) => {
                self.revokes.push(revoke);
                self.everywhere.push(is_everywhere(&request));
            }
            Want::Abort(attempt) => {
                self.aborted.push(attempt);
                self.sent.retain(|(sent, _)| *sent != attempt);
            }
            Want::Settle(waiter, outcome) => {
                assert!(self.settled.iter().all(|(id, _)| *id != waiter), "settled once");
                self.settled.push((waiter, outcome));
            }
            Want::Lease(lease) => {
                self.leases += 1;
                self.lease = lease;
            }
            Want::Event(event) => self.events.push(event),
            Want::Log(line) => self.lines.push(line),
            Want::Close => self.closed += 1,
        }
        false
    }

    fn send(&mut self, attempt: Attempt, sent: Sent) {
        assert!(self.sent.is_empty(), "one refresh at a time");
        self.requests.push((self.now.monotonic, sent.clone()));
        self.sent.push_back((attempt, sent));
    }

    fn look(&self, place: Place) -> Loaded {
        let text = match place {
            Place::Session => self.own.clone(),
            _ => self.store.borrow().clone(),
        };
        match text {
            _ if !self.storage_works => Loaded::Failed,
            Some(text) => Loaded::Text(text),
            None => Loaded::Nothing,
        }
    }

    fn put(&mut self, place: Place, text: Option<String>) -> bool {
        if self.storage_works {
            match place {
                Place::Session => self.own = text,
                _ => *self.store.borrow_mut() = text,
            }
        }
        self.storage_works
    }

    /// Slow storage answers what was asked for at this place in the line.
    pub(crate) fn answer_load(&mut self, place: usize) {
        let load = self.loads.remove(place).expect("a load was asked for");
        let loaded = self.look(load.place);
        self.run(|engine| engine.loaded(load, loaded));
    }

    /// Slow storage does what was asked for first.
    pub(crate) fn answer_store(&mut self) {
        let (store, text) = self.stores.pop_front().expect("a store was asked for");
        let works = self.put(store.place, Some(text));
        self.run(|engine| engine.stored(store, works));
    }

    /// Slow storage does a write; its look was asked for at this place in the line.
    pub(crate) fn answer_write(&mut self, place: usize) {
        self.answer_load(place);
        self.answer_store();
    }

    /// The page learns that another one has changed what they share.
    pub(crate) fn record_changed(&mut self) {
        self.run(Engine::record_changed);
    }

    /// Another tab said this.
    pub(crate) fn hear(&mut self, text: &str) {
        self.run(|engine| engine.heard(text));
    }

    pub(crate) fn start(&mut self, seconds: u32) {
        let tokens = self.tokens(seconds);
        self.start_with(tokens);
    }

    pub(crate) fn start_with(&mut self, tokens: TokenResponse) -> StartId {
        self.try_start(tokens).expect("good tokens")
    }

    pub(crate) fn try_start(&mut self, tokens: TokenResponse) -> Result<StartId, Error> {
        self.run(|engine| engine.start(tokens))
    }

    /// The response to a request with this lease carried a token in a header.
    pub(crate) fn adopt(&mut self, access_token: String, lease: LeaseId) {
        self.try_adopt(access_token, lease).expect("a good token");
    }

    pub(crate) fn try_adopt(&mut self, access_token: String, lease: LeaseId) -> Result<(), Error> {
        self.run(|engine| engine.adopt(access_token, lease))
    }

    /// Tokens whose access token lives this long from now.
    pub(crate) fn tokens(&mut self, seconds: u32) -> TokenResponse {
        self.tokens_for("ana", seconds)
    }

    pub(crate) fn tokens_for(&mut self, subject: &str, seconds: u32) -> TokenResponse {
        self.tokens_saying(&format!(r#""sub":"{subject}""#), seconds)
    }

    /// Tokens whose access token says this, and its times.
    pub(crate) fn tokens_saying(&mut self, claims: &str, seconds: u32) -> TokenResponse {
        self.tokens += 1;
        let iat = self.now.wall / 1_000;
        let exp = iat + i64::from(seconds);
        let claims = format!(r#"{{{claims},"iat":{iat},"exp":{exp},"jti":"{}"}}"#, self.tokens);
        TokenResponse {
            access_token: jwt(&claims),
            refresh_token: Some(format!("refresh-{}", self.tokens)),
            expires_in: Some(f64::from(seconds)),
            ..TokenResponse::default()
        }
    }

    /// Tokens of a server whose clock goes this much ahead of the tab's.
    pub(crate) fn tokens_ahead(&mut self, seconds: i64, claims: &str, life: u32) -> TokenResponse {
        self.sleep(seconds);
        let tokens = self.tokens_saying(claims, life);
        self.sleep(-seconds);
        tokens
    }

    /// Lets time pass, waking the engine whenever it wants to be woken.
    pub(crate) fn advance(&mut self, seconds: f64) {
        let end = self.now.monotonic + (seconds * 1_000.0) as Millis;
        for _ in 0..MAX_STEPS {
            let wait = self.wait().unwrap_or(Millis::MAX).min(end - self.now.monotonic);
            self.pass(wait);
            if self.now.monotonic >= end {
                return self.feed(Input::TimerFired);
            }
            self.feed(Input::TimerFired);
        }
        panic!("livelock: {MAX_STEPS} wake-ups without an end");
    }

    /// Lets time pass until a refresh is sent.
    pub(crate) fn advance_to_refresh(&mut self) {
        for _ in 0..MAX_STEPS {
            if !self.sent.is_empty() {
                return;
            }
            let wait = self.wait().expect("a refresh is scheduled");
            self.pass(wait);
            self.feed(Input::TimerFired);
        }
        panic!("livelock: {MAX_STEPS} wake-ups without a refresh");
    }

    /// When the engine wants to be woken, in milliseconds from when it was called last.
    pub(crate) fn wait(&self) -> Option<Millis> {
        self.deadline().map(|deadline| deadline.after)
    }

    pub(crate) fn deadline(&self) -> Option<Deadline> {
        self.engine.session(Session::next_deadline)
    }

    /// Both clocks move, and the engine is not told.
    pub(crate) fn pass(&mut self, millis: Millis) {
        self.now.monotonic += millis;
        self.now.wall += millis;
    }

    /// The device sleeps: only the wall clock moves.
    pub(crate) fn sleep(&mut self, seconds: i64) {
        self.now.wall += seconds * 1_000;
    }

    pub(crate) fn answer(&mut self, answer: Answer) {
        let (attempt, _) = self.sent.pop_front().expect("a refresh was sent");
        self.answer_to(attempt, answer);
    }

    /// Answers a refresh that may have been given up long ago.
    pub(crate) fn answer_to(&mut self, attempt: Attempt, answer: Answer) {
        // An engine that is disposed of takes no tokens: nothing happens, and what was due stays due.
        self.left &= self.engine.is_closed();
        let is_function = self.settings.endpoint.style == Style::Function;
        self.run(|engine| match is_function {
            true => engine.called(attempt, called(answer)),
            false => engine.responded(Exchange::Refresh(attempt), answer),
        });
    }

    pub(crate) fn answer_granted(&mut self, seconds: u32) {
        let tokens = self.tokens(seconds);
        self.answer(granted(&tokens));
    }

    pub(crate) fn answer_status(&mut self, status: u16, error: &str, error_code: &str) {
        self.answer(refusal(status, error, error_code));
    }

    pub(crate) fn answer_revoke(&mut self, revoke: RevokeId, status: u16) {
        let response = Some(Response { status, ..Response::default() });
        self.run(|engine| engine.responded(Exchange::Revoke(revoke), response));
    }

    /// Asks for something; the waiter's name is its place in the line of all who asked.
    fn ask(&mut self, input: impl FnOnce(WaiterId) -> Input) -> WaiterId {
        self.left = false;
        self.waiters.0 += 1;
        let waiter = self.waiters;
        self.run(|engine| engine.ask(waiter, input));
        waiter
    }

    pub(crate) fn abandon(&mut self, waiter: WaiterId) {
        if waiter <= self.waiters {
            self.abandoned.push(waiter);
        }
        self.run(|engine| engine.abandon(|asked| *asked == waiter));
    }

    pub(crate) fn restore(&mut self) -> WaiterId {
        self.ask(|waiter| Input::Restore { waiter })
    }

    pub(crate) fn sign_out(&mut self) -> WaiterId {
        self.sign_out_from(false)
    }

    pub(crate) fn sign_out_from(&mut self, everywhere: bool) -> WaiterId {
        self.ask(|waiter| Input::SignOut { waiter, everywhere })
    }

    pub(crate) fn want_token(&mut self) -> WaiterId {
        self.want_token_for(0)
    }

    pub(crate) fn want_token_for(&mut self, min_validity: Millis) -> WaiterId {
        self.ask(|waiter| Input::TokenWanted { waiter, min_validity })
    }

    pub(crate) fn want_refresh(&mut self) -> WaiterId {
        self.ask(|waiter| Input::RefreshWanted { waiter })
    }

    pub(crate) fn unauthorized(&mut self, lease: LeaseId) -> WaiterId {
        self.ask(|waiter| Input::Unauthorized { waiter: Some(waiter), lease })
    }

    pub(crate) fn outcome(&self, waiter: WaiterId) -> Option<&Outcome> {
        self.settled.iter().find(|(id, _)| *id == waiter).map(|(_, outcome)| outcome)
    }

    /// Those who have neither been settled nor given up.
    pub(crate) fn waiting(&self) -> Vec<WaiterId> {
        let waits =
            |waiter: &WaiterId| self.outcome(*waiter).is_none() && !self.abandoned.contains(waiter);
        (1..=self.waiters.0).map(WaiterId).filter(waits).collect()
    }

    pub(crate) fn failed_with(&self, waiter: WaiterId) -> Option<Error> {
        match self.outcome(waiter) {
            Some(Outcome::Failed(error)) => Some(*error),
            _ => None,
        }
    }

    pub(crate) fn lease_id(&self) -> LeaseId {
        self.lease.as_ref().expect("a lease").id
    }

    pub(crate) fn access_token(&self) -> Option<String> {
        self.engine.session(|session| session.access_token().map(str::to_owned))
    }

    pub(crate) fn stats(&self) -> Stats {
        self.engine.stats()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.engine.snapshot()
    }

    pub(crate) fn status(&self) -> Status {
        self.snapshot().status
    }

    pub(crate) fn ended(&self) -> Option<EndReason> {
        self.snapshot().reason
    }

    pub(crate) fn count(&self, kind: &str) -> usize {
        self.events.iter().filter(|event| event.kind() == kind).count()
    }
}
