use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::Body;
use everfresh_server::clock::Clock;
use everfresh_server::config::{Layer, Settings};
use everfresh_server::jwt::Keyring;
use everfresh_server::password::Passwords;
use everfresh_server::store::MemoryStore;
use everfresh_server::{AppState, accounts, app};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

/// A whole server without sockets, in memory, on a clock that stands still.
pub(crate) struct World {
    pub(crate) state: AppState,
    pub(crate) clock: Clock,
    router: Router,
}

impl World {
    pub(crate) async fn new(toml: &str) -> Result<Self> {
        let layer = Layer::from_toml(toml).context(toml.to_owned())?;
        let mut settings = Settings::resolve(layer).context(toml.to_owned())?;
        settings.issuer = "http://127.0.0.1:8080".to_owned();
        let keys = Keyring::ephemeral()?;
        let store = Arc::new(MemoryStore::new(AppState::terms(&settings, &keys)));
        let clock = Clock::frozen_at(NOON);
        let passwords = Passwords::with_cost(8, 1)?;
        let state = AppState::new(settings, clock.clone(), store, keys, passwords);
        let user = accounts::new_user(&state.passwords, "ann", "secret".into(), NOON).await?;
        ensure!(state.store.add_user(user).await?);
        Ok(Self { router: app(state.clone()), state, clock })
    }

    /// Sends a request. That it is answered, and that it is no failure of the server's, is what
    /// everything here is about.
    pub(crate) async fn send(&self, request: Request<Body>) -> Result<Answer> {
        let what = format!("{} {} {:?}", request.method(), request.uri(), request.headers());
        let response = self.router.clone().oneshot(request).await?;
        ensure!(!response.status().is_server_error(), "{what}: {}", response.status());
        Answer::of(response).await
    }

    pub(crate) async fn login(&self) -> Result<Answer> {
        let body = json!({ "username": "ann", "password": "secret" });
        let request = Request::post("/auth/login").header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string()))?).await
    }

    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Result<Answer> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let request =
            Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form.finish()))?).await
    }
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    async fn of(response: Response<Body>) -> Result<Self> {
        let (parts, body) = response.into_parts();
        let stream =
            parts.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        // A stream of events has no end.
        let body = if stream { Vec::new() } else { body.collect().await?.to_bytes().to_vec() };
        Ok(Self { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    pub(crate) fn text(&self, name: &str) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body[name].as_str().unwrap_or_default().to_owned()
    }
}

/// What an input is followed on, to its end.
pub(crate) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_time().build()?)
}

pub(crate) const NOON: u64 = 1_800_000_000_000;
