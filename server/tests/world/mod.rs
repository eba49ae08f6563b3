//! A server in a box: no sockets, no waiting, a clock that stands still.
#![allow(dead_code, reason = "each test file uses its own part of the box")]
#![allow(clippy::duplicate_mod, reason = "some test files use the stores without a box as well")]

#[path = "../stores/folder.rs"]
mod folder;
#[path = "../stores/postgres.rs"]
mod postgres;
#[path = "../stores/redis.rs"]
mod redis;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use everfresh_server::clock::Clock;
use everfresh_server::config::{Layer, Settings};
use everfresh_server::control::Harness;
use everfresh_server::jwt::Keyring;
use everfresh_server::password::Passwords;
use everfresh_server::store::{
    MemoryStore, PostgresStore, RedisStore, RotationContext, SqliteStore, Store,
};
use everfresh_server::{AppState, accounts};
use folder::Folder;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use redis::{NEVER, Redis};
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) struct World {
    pub(crate) state: AppState,
    pub(crate) clock: Clock,
    app: Router,
    control: Router,
    ground: Ground,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// With settings in TOML.
    pub(crate) async fn with(toml: &str) -> Self {
        let mut settings = Settings::resolve(Layer::from_toml(toml).unwrap()).unwrap();
        if settings.issuer.is_empty() {
            settings.issuer = "http://127.0.0.1:8080".to_owned();
        }
        let keys = Keyring::ephemeral().unwrap();
        let terms = AppState::terms(&settings, &keys);
        let (store, ground) = store(terms).await;
        Self { ground, ..Self::around(settings, keys, store).await }
    }

    pub(crate) async fn around(settings: Settings, keys: Keyring, store: Arc<dyn Store>) -> Self {
        let clock = Clock::frozen_at(NOON);
        let passwords = Passwords::with_cost(8, 1).unwrap();
        let state = AppState::new(settings, clock.clone(), store, keys, passwords);
        for name in ["ann", "ben"] {
            let user = accounts::new_user(&state.passwords, name, "secret".into(), NOON).await;
            state.store.add_user(user.unwrap()).await.unwrap();
        }
        let Harness { app, switchboard } = Harness::around(state.clone());
        Self { app, control: switchboard, state, clock, ground: Ground::Air }
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(seconds * 1_000);
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Answer::of(self.app.clone().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn control(&self, path: &str, body: Value) -> Answer {
        let request = json_request(Method::POST, path, &body);
        Answer::of(self.control.clone().oneshot(request).await.unwrap()).await
    }

    /// Any request to the switchboard.
    pub(crate) async fn send_control(&self, request: Request<Body>) -> Answer {
        Answer::of(self.control.clone().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn control_get(&self, path: &str) -> Value {
        let request = Request::get(path).body(Body::empty()).unwrap();
        Answer::of(self.control.clone().oneshot(request).await.unwrap()).await.json()
    }

    pub(crate) async fn post_json(&self, path: &str, body: Value) -> Answer {
        self.send(json_request(Method::POST, path, &body)).await
    }

    pub(crate) async fn login(&self, name: &str) -> Tokens {
        let answer =
            self.post_json("/auth/login", json!({ "username": name, "password": "secret" })).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.tokens()
    }

    pub(crate) async fn refresh(&self, token: &str, key: Option<&str>) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", token);
        if let Some(key) = key {
            form.append_pair("rotation_key", key);
        }
        self.post_form("/oauth/token", &form.finish()).await
    }

    pub(crate) async fn post_form(&self, path: &str, form: &str) -> Answer {
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()));
        self.send(request.unwrap()).await
    }

    /// A request with a bearer and nothing else.
    pub(crate) async fn call(&self, method: Method, path: &str, access: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {access}"))
            .body(Body::empty());
        self.send(request.unwrap()).await
    }

    pub(crate) async fn call_json(
        &self,
        method: Method,
        path: &str,
        access: &str,
        body: Value,
    ) -> Answer {
        let mut request = json_request(method, path, &body);
        let bearer = format!("Bearer {access}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        self.send(request).await
    }

    pub(crate) async fn me(&self, access: &str) -> Answer {
        self.call(Method::GET, "/api/me", access).await
    }

    pub(crate) async fn count(&self, transition: &str) -> u64 {
        self.control_get("/stats").await["refreshes"][transition].as_u64().unwrap()
    }
}

/// What a store stands on; it goes with the world.
enum Ground {
    Air,
    File(Folder),
    Process(Redis),
}

/// The store that `WORLD_STORE` names, or one in memory.
async fn store(terms: RotationContext) -> (Arc<dyn Store>, Ground) {
    let name = std::env::var("WORLD_STORE").unwrap_or_else(|_| "memory".to_owned());
    match name.as_str() {
        "memory" => (Arc::new(MemoryStore::new(terms)), Ground::Air),
        "sqlite" => {
            let folder = Folder::new();
            let store = SqliteStore::open(&folder.0.join("world.db"), terms).unwrap();
            (Arc::new(store), Ground::File(folder))
        }
        "postgres" => {
            let store = PostgresStore::open(&postgres::database(), None, terms).await.unwrap();
            (Arc::new(store), Ground::Air)
        }
        "redis" => {
            let redis = Redis::start(NEVER);
            (Arc::new(RedisStore::at(&redis.url(), terms).unwrap()), Ground::Process(redis))
        }
        _ => panic!("WORLD_STORE={name}: choose memory, sqlite, postgres or redis"),
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) extensions: http::Extensions,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    async fn of(response: http::Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Self { status: parts.status, headers: parts.headers, extensions: parts.extensions, body }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text()))
    }

    #[track_caller]
    pub(crate) fn tokens(&self) -> Tokens {
        let body = self.json();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        Tokens { access: text("access_token"), refresh: text("refresh_token") }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status, `error` and `error_code`.
    #[track_caller]
    pub(crate) fn refusal(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), text("error"), text("error_code"))
    }
}

pub(crate) fn json_request(method: Method, path: &str, body: &Value) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

#[track_caller]
pub(crate) fn refused(answer: &Answer, status: u16, error: &str, code: &str) {
    assert_eq!(answer.refusal(), (status, error.to_owned(), code.to_owned()));
}

/// Whether a refresh token stands in the text. Inside a word, `rt_` is a part of something random.
pub(crate) fn holds_refresh_token(text: &str) -> bool {
    let random = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    text.split(|c| !random(c)).any(|word| word.starts_with("rt_"))
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

pub(crate) const NOON: u64 = 1_800_000_000_000;
pub(crate) const NOON_SECONDS: u64 = NOON / 1_000;
pub(crate) const KEY: &str = "a-random-rotation-key";
pub(crate) const OTHER_KEY: &str = "another-rotation-key";
