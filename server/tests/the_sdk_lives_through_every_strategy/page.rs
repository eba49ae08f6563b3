//! A page with the engine that ships in it, and the real server behind it; time is virtual.

use std::collections::{HashMap, VecDeque};

use axum::body::Body;
use everfresh::core::clock::Now;
use everfresh::core::effect::{Lease, Outcome, RefreshRequest};
use everfresh::core::entropy::Seeded;
use everfresh::core::event::Event;
use everfresh::core::grant::TokenResponse;
use everfresh::core::ids::{Attempt, WaiterId};
use everfresh::core::input::Input;
use everfresh::core::policy::Policy;
use everfresh::core::reason::EndReason;
use everfresh::core::session::Session;
use everfresh::core::snapshot::Snapshot;
use everfresh::engine::endpoint::{self, Endpoint, Exchange, HEADERS, Response, Style};
use everfresh::engine::formats::Formats;
use everfresh::engine::host::Loaded;
use everfresh::engine::native::NativeFormats;
use everfresh::engine::records::Storage;
use everfresh::engine::virtual_host::{Text, VirtualHost, Want};
use everfresh::engine::{Called, Engine, Settings, read_tokens};
use http::request::Builder;
use http::{Method, Request};
use serde_json::json;

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

    fn settings(self) -> Settings {
        let policy = Policy {
            lead: self.lead_seconds * 1_000,
            jitter: self.jitter_seconds * 1_000,
            idle: self.idle_seconds.map(|idle| idle * 1_000),
            ..Policy::default()
        };
        let (style, url, revoke_url) = match self.refresh {
            Refresh::OAuth2 => (Style::OAuth2, "/oauth/token", "/oauth/revoke"),
            Refresh::Cookie => (Style::Cookie, "/auth/refresh", "/auth/logout"),
            Refresh::Renew => (Style::Renew, "/auth/renew", "/auth/logout"),
            Refresh::WhileActive(_) | Refresh::Both | Refresh::Resource => {
                (Style::Function, "", "/auth/logout")
            }
        };
        let (url, revoke_url) = (url.to_owned(), Some(revoke_url.to_owned()));
        let endpoint = Endpoint { style, url, revoke_url, ..Endpoint::default() };
        Settings { policy, endpoint, storage: Storage::Local }
    }
}

pub(crate) struct Page {
    engine: Engine<VirtualHost<Seeded>>,
    options: Options,
    storage: Option<String>,
    pub(crate) cookie: Option<String>,
    pub(crate) lease: Option<Lease>,
    settled: HashMap<WaiterId, Outcome>,
    last_waiter: WaiterId,
    /// When the engine last told when it wants to be woken.
    asked_at: u64,
    /// Refreshes that nobody has answered yet.
    asked: VecDeque<(Attempt, Asked)>,
    pub(crate) events: Vec<Event>,
    /// What the page sent: when, in milliseconds from the start, and what.
    pub(crate) sent: Vec<(u64, String)>,
}

/// Who is asked for new tokens.
enum Asked {
    Endpoint(endpoint::Request),
    Function(RefreshRequest),
}

impl Page {
    pub(crate) fn open(world: &World, options: Options) -> Self {
        let host = VirtualHost::new(now(world));
        Self {
            engine: Engine::new(host, Seeded(options.seed), options.settings()),
            options,
            storage: None,
            cookie: None,
            lease: None,
            settled: HashMap::new(),
            last_waiter: WaiterId(0),
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
        let tokens = tokens(&answer.text()).expect("tokens to start with");
        self.run(world, |engine| engine.start(tokens)).await.expect("good tokens");
    }

    /// The page is loaded anew; storage and cookies are what is left of the old one.
    pub(crate) async fn reload(&mut self, world: &World) {
        let new = Self::open(world, self.options);
        let old = std::mem::replace(self, new);
        (self.storage, self.cookie, self.sent) = (old.storage, old.cookie, old.sent);
        self.ask(world, |waiter| Input::Restore { waiter }).await;
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
        let lease = lease.id;
        let healed = self.ask(world, |waiter| Input::Unauthorized { waiter: Some(waiter), lease });
        match healed.await {
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
        let token = self.ask(world, |waiter| Input::TokenWanted { waiter, min_validity: 0 });
        match token.await {
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
            let input = |waiter| Input::TokenWanted { waiter, min_validity: 0 };
            self.drive(world, |engine| engine.ask(waiter, input)).await;
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
        self.ask(world, |waiter| Input::RefreshWanted { waiter }).await == Some(Outcome::Done)
    }

    pub(crate) async fn sign_out(&mut self, world: &World) {
        self.ask(world, |waiter| Input::SignOut { waiter, everywhere: false }).await;
    }

    pub(crate) async fn feed(&mut self, world: &World, input: Input) {
        self.run(world, |engine| engine.feed(input)).await;
    }

    /// What becomes of a question while no time passes.
    async fn ask(
        &mut self,
        world: &World,
        input: impl FnOnce(WaiterId) -> Input,
    ) -> Option<Outcome> {
        let waiter = self.waiter();
        self.run(world, |engine| engine.ask(waiter, input)).await;
        self.settled.remove(&waiter)
    }

    async fn run<T>(
        &mut self,
        world: &World,
        act: impl FnOnce(&Engine<VirtualHost<Seeded>>) -> T,
    ) -> T {
        let made = self.drive(world, act).await;
        self.answer(world).await;
        made
    }

    /// When the engine wants to be woken, in milliseconds from now.
    pub(crate) fn wait(&self, world: &World) -> Option<i64> {
        let since = (world.clock.now() - self.asked_at) as i64;
        self.engine.session(Session::next_deadline).map(|deadline| (deadline.after - since).max(0))
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.engine.snapshot()
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
        self.last_waiter.0 += 1;
        self.last_waiter
    }

    async fn answer(&mut self, world: &World) {
        while let Some((attempt, asked)) = self.asked.pop_front() {
            match asked {
                Asked::Endpoint(request) => {
                    let response = self.post(world, request).await;
                    let exchange = Exchange::Refresh(attempt);
                    self.drive(world, |engine| engine.responded(exchange, Some(response))).await;
                }
                Asked::Function(request) => {
                    let called = self.refresh_function(world, &request).await;
                    self.drive(world, |engine| engine.called(attempt, called)).await;
                }
            }
        }
    }

    /// Calls the engine, and does what it wants done, but for asking for new tokens.
    async fn drive<T>(
        &mut self,
        world: &World,
        act: impl FnOnce(&Engine<VirtualHost<Seeded>>) -> T,
    ) -> T {
        self.engine.host.set_now(now(world));
        self.asked_at = world.clock.now();
        let made = act(&self.engine);
        while let Some(want) = self.engine.host.next() {
            self.perform(world, want).await;
        }
        made
    }

    async fn perform(&mut self, world: &World, want: Want) {
        match want {
            Want::Send(Exchange::Refresh(attempt), request) => {
                self.asked.push_back((attempt, Asked::Endpoint(request)));
            }
            Want::Call(attempt, request) => {
                self.asked.push_back((attempt, Asked::Function(request)));
            }
            Want::Abort(attempt) => self.asked.retain(|(asked, _)| *asked != attempt),
            Want::RequestLock(ticket) => self.engine.feed(Input::LockGranted(ticket)),
            Want::Load(load) => {
                let text = self.storage.clone().map_or(Loaded::Nothing, Loaded::Text);
                self.engine.loaded(load, text);
            }
            Want::Store(store, Text(text)) => {
                self.storage = Some(text);
                self.engine.stored(store, true);
            }
            Want::Remove(_) => self.storage = None,
            Want::Settle(waiter, outcome) => {
                assert!(self.settled.insert(waiter, outcome).is_none(), "settled once");
            }
            Want::Lease(lease) => self.lease = lease,
            Want::Send(exchange @ Exchange::Revoke(_), request) => {
                let response = self.post(world, request).await;
                self.engine.responded(exchange, Some(response));
            }
            Want::Event(event) => self.events.push(event),
            Want::SetAside(..) => panic!("the record of a page is a record"),
            Want::ReleaseLock(_) | Want::Broadcast(_) | Want::Close | Want::Log(_) => {}
        }
    }

    /// What `fetch` does with a request of the engine.
    async fn post(&mut self, world: &World, request: endpoint::Request) -> Response {
        let headers = request.headers.iter();
        let builder = headers.fold(Request::post(&request.url), |builder, (name, value)| {
            builder.header(name.as_str(), value.as_str())
        });
        let answer = self.send(world, builder, request.body.unwrap_or_default()).await;
        let header = |name: &str| Some((name.to_owned(), answer.header(name)?.to_owned()));
        Response {
            status: answer.status.as_u16(),
            headers: HEADERS.into_iter().filter_map(header).collect(),
            body: answer.text(),
        }
    }

    /// The application's function, for what the endpoint's styles cannot say.
    async fn refresh_function(&mut self, world: &World, request: &RefreshRequest) -> Called {
        let access = request.access_token.as_deref();
        let refresh = request.refresh_token.as_deref().unwrap_or_default();
        let key = request.rotation_key.as_str();
        let renew = |request: Builder| bearer(request, access).header("idempotency-key", key);
        let answer = match self.options.refresh {
            Refresh::Both => {
                let form = "application/x-www-form-urlencoded";
                let request = bearer(Request::post("/oauth/token"), access);
                let body = form_urlencoded::Serializer::new(String::new())
                    .append_pair("grant_type", "refresh_token")
                    .append_pair("refresh_token", refresh)
                    .append_pair("rotation_key", key)
                    .finish();
                self.send(world, request.header("content-type", form), body).await
            }
            Refresh::WhileActive(idle) => {
                let exp = request.last_activity_at / 1_000 + idle;
                let request = renew(Request::post("/auth/renew"));
                let request = request.header("content-type", "application/json");
                self.send(world, request, json!({ "exp": exp }).to_string()).await
            }
            Refresh::Resource => {
                self.send(world, renew(Request::get("/api/me")), String::new()).await
            }
            Refresh::OAuth2 | Refresh::Cookie | Refresh::Renew => panic!("the endpoint is asked"),
        };
        if let Some(token) = answer.header("x-jwt") {
            let access_token = token.to_owned();
            return Called::Tokens(Some(TokenResponse {
                access_token,
                ..TokenResponse::default()
            }));
        }
        match answer.status.as_u16() {
            200 => Called::Tokens(tokens(&answer.text())),
            status => Called::Failed { terminal: matches!(status, 400 | 401 | 403) },
        }
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
        {
            let token = token.to_owned();
            self.run(world, |engine| engine.adopt(token, lease.id)).await.expect("a good token");
        }
        answer
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

fn tokens(body: &str) -> Option<TokenResponse> {
    read_tokens::<NativeFormats>(&NativeFormats::parse_json(body)?)
}
