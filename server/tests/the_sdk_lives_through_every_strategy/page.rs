//! A page with the real session machine in it, and the real server behind it; time is virtual.

use std::collections::{HashMap, VecDeque};

use axum::body::Body;
use everfresh::core::clock::Now;
use everfresh::core::effect::{Attempt, Effect, Lease, Outcome, RefreshRequest, WaiterId};
use everfresh::core::entropy::Seeded;
use everfresh::core::event::Event;
use everfresh::core::grant::{Grant, TokenResponse};
use everfresh::core::input::{Answer as Refreshed, Found, Input, Written};
use everfresh::core::policy::{Credential, Policy};
use everfresh::core::reason::EndReason;
use everfresh::core::record::Record;
use everfresh::core::session::Session;
use everfresh::core::snapshot::Snapshot;
use http::request::Builder;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::world::{Answer, NOON, World};

/// The options of `createSession` that differ from strategy to strategy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) refresh: Refresh,
    pub(crate) lead_seconds: i64,
    pub(crate) jitter_seconds: i64,
    pub(crate) idle_seconds: Option<i64>,
    /// `renewalHeader: "X-JWT"`.
    pub(crate) renewal_header: bool,
    /// Draws the jitter and the keys.
    pub(crate) seed: u64,
}

/// The option `refresh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refresh {
    /// Style `oauth2`, at `/oauth/token`.
    OAuth2,
    /// Style `cookie`, at `/auth/refresh`.
    Cookie,
    /// Style `renew`, at `/auth/renew`.
    Renew,
    /// A function that asks `/auth/renew` for the time until the user counts as idle.
    WhileActive(i64),
    /// A function that sends the access token along with the refresh token.
    Both,
    /// A function that asks for any resource and takes the token out of the answer's header.
    Resource,
}

impl Options {
    pub(crate) fn new(refresh: Refresh) -> Self {
        let header = refresh == Refresh::Resource;
        Self {
            refresh,
            lead_seconds: 60,
            jitter_seconds: 30,
            idle_seconds: None,
            renewal_header: header,
            seed: 7,
        }
    }

    fn policy(self) -> Policy {
        let credential = match self.refresh {
            Refresh::OAuth2 => Credential::RefreshToken,
            Refresh::Cookie => Credential::Cookie,
            Refresh::Renew => Credential::AccessToken,
            Refresh::WhileActive(_) | Refresh::Both | Refresh::Resource => Credential::Function,
        };
        Policy {
            lead: self.lead_seconds * 1_000,
            jitter: self.jitter_seconds * 1_000,
            idle: self.idle_seconds.map(|idle| idle * 1_000),
            credential,
            ..Policy::default()
        }
    }
}

pub(crate) struct Page {
    session: Session<Seeded>,
    options: Options,
    storage: Option<String>,
    pub(crate) cookie: Option<String>,
    pub(crate) lease: Option<Lease>,
    settled: HashMap<WaiterId, Outcome>,
    last_waiter: WaiterId,
    /// When the machine last told when it wants to be woken.
    asked_at: u64,
    /// Refreshes that nobody has answered yet.
    asked: VecDeque<(Attempt, RefreshRequest)>,
    pub(crate) events: Vec<Event>,
    /// What the page sent: when, in milliseconds from the start, and what.
    pub(crate) sent: Vec<(u64, String)>,
}

impl Page {
    pub(crate) fn open(world: &World, options: Options) -> Self {
        Self {
            session: Session::new(options.policy(), Seeded(options.seed), now(world)),
            options,
            storage: None,
            cookie: None,
            lease: None,
            settled: HashMap::new(),
            last_waiter: 0,
            asked_at: world.clock.now(),
            asked: VecDeque::new(),
            events: Vec::new(),
            sent: Vec::new(),
        }
    }

    pub(crate) async fn sign_in(&mut self, world: &World, device: &str) {
        let login = json!({ "username": "ann", "password": "secret", "device_name": device });
        let request = Request::post("/auth/login").header("content-type", "application/json");
        let answer = self.send(world, request, login.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let grant = grant(&answer.json()).expect("tokens to start with");
        self.feed(world, Input::Start { grant, start: 1 }).await;
    }

    /// The page is loaded anew; storage and cookies are what is left of the old one.
    pub(crate) async fn reload(&mut self, world: &World) {
        let new = Self::open(world, self.options);
        let old = std::mem::replace(self, new);
        (self.storage, self.cookie, self.sent) = (old.storage, old.cookie, old.sent);
        let waiter = self.waiter();
        self.feed(world, Input::Restore { waiter }).await;
    }

    /// `session.fetch`.
    pub(crate) async fn fetch(&mut self, world: &World, method: Method, path: &str) -> Answer {
        let Some(lease) = self.token(world).await else {
            return self.call(world, &method, path, None).await;
        };
        let answer = self.call(world, &method, path, Some(&lease)).await;
        if answer.status != 401 {
            return answer;
        }
        let waiter = self.waiter();
        self.feed(world, Input::Unauthorized { waiter: Some(waiter), lease: lease.id }).await;
        match self.settled.remove(&waiter) {
            Some(Outcome::Token(newer)) => self.call(world, &method, path, Some(&newer)).await,
            _ => answer,
        }
    }

    /// The token for a request; while its lease lasts the machine is not even asked.
    async fn token(&mut self, world: &World) -> Option<Lease> {
        let wall = world.clock.now() as i64;
        if let Some(lease) = &self.lease
            && (lease.from..lease.until).contains(&wall)
        {
            return Some(lease.clone());
        }
        let waiter = self.waiter();
        self.feed(world, Input::TokenWanted { waiter, min_validity: 0 }).await;
        match self.settled.remove(&waiter) {
            Some(Outcome::Token(lease)) => Some(lease),
            _ => None,
        }
    }

    /// `session.fetch("/api/me")`, and what became of it.
    pub(crate) async fn visit(&mut self, world: &World) -> u16 {
        self.fetch(world, Method::GET, "/api/me").await.status.as_u16()
    }

    /// So many requests at the same time; their statuses.
    pub(crate) async fn visit_at_once(&mut self, world: &World, requests: usize) -> Vec<u16> {
        let mut waiters = Vec::new();
        for _ in 0..requests {
            let waiter = self.waiter();
            self.drive(world, Input::TokenWanted { waiter, min_validity: 0 }).await;
            waiters.push(waiter);
        }
        self.answer(world).await;
        let mut statuses = Vec::new();
        for waiter in waiters {
            let outcome = self.settled.remove(&waiter);
            let Some(Outcome::Token(lease)) = outcome else { panic!("{outcome:?}") };
            let answer = self.call(world, &Method::GET, "/api/me", Some(&lease)).await;
            statuses.push(answer.status.as_u16());
        }
        statuses
    }

    /// `session.refresh()`; whether it succeeded.
    pub(crate) async fn refresh(&mut self, world: &World) -> bool {
        let waiter = self.waiter();
        self.feed(world, Input::RefreshWanted { waiter }).await;
        self.settled.remove(&waiter) == Some(Outcome::Done)
    }

    pub(crate) async fn sign_out(&mut self, world: &World) {
        let waiter = self.waiter();
        self.feed(world, Input::SignOut { waiter, everywhere: false }).await;
    }

    pub(crate) async fn feed(&mut self, world: &World, input: Input) {
        self.drive(world, input).await;
        self.answer(world).await;
    }

    /// When the machine wants to be woken, in milliseconds from now.
    pub(crate) fn wait(&self, world: &World) -> Option<i64> {
        let since = (world.clock.now() - self.asked_at) as i64;
        self.session.next_deadline().map(|deadline| (deadline.after - since).max(0))
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.session.snapshot()
    }

    pub(crate) fn ended(&self) -> Option<EndReason> {
        self.snapshot().reason
    }

    pub(crate) fn count(&self, kind: &str) -> usize {
        self.events.iter().filter(|event| event.kind() == kind).count()
    }

    /// The refresh token that the page sent with its last refresh.
    pub(crate) fn last_refresh_token(&self) -> String {
        let refreshes = self.sent.iter().rev();
        let sent = refreshes.filter_map(|(_, sent)| sent.split_once("&refresh_token="));
        sent.map(|(_, rest)| rest.split('&').next().unwrap_or_default()).next().unwrap().to_owned()
    }

    /// How often the page asked for new tokens.
    pub(crate) fn renewals(&self) -> usize {
        let renewal = |(_, sent): &&(u64, String)| {
            ["POST /oauth/token", "POST /auth/refresh", "POST /auth/renew"]
                .iter()
                .any(|route| sent.starts_with(route))
        };
        self.sent.iter().filter(renewal).count()
    }

    fn waiter(&mut self) -> WaiterId {
        self.last_waiter += 1;
        self.last_waiter
    }

    async fn answer(&mut self, world: &World) {
        while let Some((attempt, request)) = self.asked.pop_front() {
            let answer = self.ask(world, &request).await;
            self.drive(world, Input::RefreshAnswered { attempt, answer }).await;
        }
    }

    async fn drive(&mut self, world: &World, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            self.session.handle(input, now(world));
            self.asked_at = world.clock.now();
            while let Some(effect) = self.session.poll() {
                let input = self.perform(world, effect).await;
                inputs.extend(input);
            }
        }
    }

    async fn perform(&mut self, world: &World, effect: Effect) -> Option<Input> {
        match effect {
            Effect::SendRefresh { attempt, request } => self.asked.push_back((attempt, request)),
            Effect::AbortRefresh(attempt) => self.asked.retain(|(asked, _)| *asked != attempt),
            Effect::AcquireLock(ticket) => return Some(Input::LockGranted(ticket)),
            Effect::ReleaseLock(_) | Effect::Broadcast(_) => {}
            Effect::Read(read) => return Some(Input::RecordRead { read, found: self.found() }),
            Effect::Write { write, record } => {
                let record = match self.found() {
                    Found::Record(mut stored) => {
                        stored.join(*record);
                        *stored
                    }
                    _ => *record,
                };
                self.storage = Some(record.encode(true));
                let written = Written::Stored(Box::new(record));
                return Some(Input::RecordWritten { write, written });
            }
            Effect::Forget => self.storage = None,
            Effect::Settle { waiter, outcome } => {
                assert!(self.settled.insert(waiter, outcome).is_none(), "settled once");
            }
            Effect::Lease(lease) => self.lease = lease,
            Effect::Revoke { revoke, request } => {
                let token = request.refresh_token.or(request.access_token).unwrap_or_default();
                let answer = if self.options.refresh == Refresh::Cookie {
                    let request = Request::post("/auth/logout").header("x-everfresh", "1");
                    self.send(world, request, String::new()).await
                } else {
                    self.form(world, "/oauth/revoke", None, &[("token", &token)]).await
                };
                let revoked = answer.status.is_success();
                return Some(Input::RevokeAnswered { revoke, revoked });
            }
            Effect::Emit(event) => self.events.push(event),
        }
        None
    }

    fn found(&self) -> Found {
        match &self.storage {
            None => Found::Nothing,
            Some(text) => Record::decode(text)
                .map_or(Found::Corrupt, |record| Found::Record(Box::new(record))),
        }
    }

    async fn ask(&mut self, world: &World, request: &RefreshRequest) -> Refreshed {
        let access = request.access_token.as_deref();
        let refresh = request.refresh_token.as_deref().unwrap_or_default();
        let key = request.rotation_key.as_str();
        let fields =
            [("grant_type", "refresh_token"), ("refresh_token", refresh), ("rotation_key", key)];
        let renew = |request: Builder| bearer(request, access).header("idempotency-key", key);
        let answer = match self.options.refresh {
            Refresh::OAuth2 => self.form(world, "/oauth/token", None, &fields).await,
            Refresh::Both => self.form(world, "/oauth/token", access, &fields).await,
            Refresh::Cookie => {
                let request = Request::post("/auth/refresh").header("x-everfresh", "1");
                self.send(world, request.header("idempotency-key", key), String::new()).await
            }
            Refresh::Renew => {
                self.send(world, renew(Request::post("/auth/renew")), String::new()).await
            }
            Refresh::WhileActive(idle) => {
                let exp = request.last_activity_at / 1_000 + idle;
                let request = renew(Request::post("/auth/renew"));
                let request = request.header("content-type", "application/json");
                self.send(world, request, json!({ "exp": exp }).to_string()).await
            }
            Refresh::Resource => {
                let answer = self.send(world, renew(Request::get("/api/me")), String::new()).await;
                if let Some(token) = answer.header("x-jwt") {
                    let found = grant(&json!({ "access_token": token }));
                    return found.map_or(Refreshed::Unusable, Refreshed::Granted);
                }
                answer
            }
        };
        if answer.status == 200 {
            return grant(&answer.json()).map_or(Refreshed::Unusable, Refreshed::Granted);
        }
        let (status, error, error_code) = answer.refusal();
        Refreshed::Refused { status, error, error_code, retry_after: None }
    }

    /// A request to a resource, with the token that the machine gave.
    async fn call(
        &mut self,
        world: &World,
        method: &Method,
        path: &str,
        lease: Option<&Lease>,
    ) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = bearer(request, lease.map(|lease| lease.access_token.as_str()));
        let answer = self.send(world, request, String::new()).await;
        if let Some(lease) = lease.filter(|_| self.options.renewal_header)
            && let Some(token) = answer.header("x-jwt")
            && let Some(grant) = grant(&json!({ "access_token": token }))
        {
            self.feed(world, Input::HeaderToken { grant, lease: lease.id }).await;
        }
        answer
    }

    async fn form(
        &mut self,
        world: &World,
        path: &str,
        access: Option<&str>,
        fields: &[(&str, &str)],
    ) -> Answer {
        let request = bearer(Request::post(path), access)
            .header("content-type", "application/x-www-form-urlencoded");
        let pairs =
            fields.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+")));
        self.send(world, request, pairs.collect::<Vec<_>>().join("&")).await
    }

    /// What a browser does with a request: it adds the cookie, and keeps the one that comes back.
    async fn send(&mut self, world: &World, request: Builder, body: String) -> Answer {
        let request = match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        };
        let request = request.body(Body::from(body.clone())).unwrap();
        let said = format!("{} {} {:?} {body}", request.method(), request.uri(), request.headers());
        self.sent.push((world.clock.now() - NOON, said));
        let answer = world.send(request).await;
        if let Some(cookie) = answer.header("set-cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            self.cookie = (!cookie.contains("Max-Age=0;")).then(|| pair.to_owned());
        }
        answer
    }
}

/// Both of the page's clocks show the server's time.
fn now(world: &World) -> Now {
    let wall = world.clock.now() as i64;
    Now { wall, monotonic: wall - NOON as i64 }
}

fn bearer(request: Builder, access: Option<&str>) -> Builder {
    match access {
        Some(access) => request.header("authorization", format!("Bearer {access}")),
        None => request,
    }
}

fn grant(body: &Value) -> Option<Grant> {
    Grant::parse(TokenResponse {
        access_token: body["access_token"].as_str()?.to_owned(),
        refresh_token: body["refresh_token"].as_str().map(str::to_owned),
        expires_in: body["expires_in"].as_f64(),
        refresh_in: body["refresh_in"].as_f64(),
        session_expires_in: body["session_expires_in"].as_f64(),
    })
    .ok()
}
