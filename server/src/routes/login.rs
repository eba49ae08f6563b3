use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use http::HeaderMap;
use serde::Deserialize;

use super::tokens::{self, Carrier};
use crate::error::ApiError;
use crate::extract::{JsonBody, LONGEST_NAME, LONGEST_PASSWORD, is_longer};
use crate::ledger;
use crate::limits::Limited;
use crate::rotation::{RefreshToken, Revocation, Row, SessionId};
use crate::secret::{Secret, random};
use crate::serve::Peer;
use crate::state::AppState;
use crate::store::{Change, User, Whose};

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/auth/login", post(login))
}

async fn login(
    State(app): State<AppState>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    JsonBody(request): JsonBody<Login>,
) -> Result<Response, ApiError> {
    let Login { username, password, device_name, client_id } = request;
    let names = [Some(&username), device_name.as_ref(), client_id.as_ref()];
    if names.into_iter().flatten().any(|name| is_longer(name, LONGEST_NAME)) {
        return Err(ApiError::InvalidRequest("a name has at most 200 characters"));
    }
    if is_longer(password.expose(), LONGEST_PASSWORD) {
        return Err(ApiError::InvalidRequest("a password has at most 1024 characters"));
    }

    let address = peer.map(|Extension(Peer(address))| address.ip());
    let now = app.clock.now();
    app.limits.check(Limited::Failure(address), now)?;
    app.limits.take(Limited::Login(address, username.clone()), now)?;

    let user = app.store.user_named(username).await?;
    let stored = user.as_ref().map(|user| user.password.clone());
    let right = app.passwords.check(password, stored).await.map_err(|error| {
        tracing::error!(%error, "no password could be checked");
        ApiError::Internal
    })?;
    if let Some(why) = objection(user.as_ref(), right) {
        app.audit.failed(now, why, user.as_ref().map(|user| user.id.as_str()), address);
        app.limits.take(Limited::Failure(address), now)?;
        return Err(ApiError::InvalidCredentials);
    }
    let mut user = user.ok_or(ApiError::InvalidCredentials)?;

    let token = RefreshToken::first(SessionId(random()?), now, random()?);
    let client = client_id.unwrap_or_else(|| "default".to_owned());
    let policy = &app.settings.policy;
    if policy.bump_at_sign_in {
        let bump = Change { bump_version: true, ..Change::default() };
        user = app.store.change_user(user.id.clone(), bump).await?.unwrap_or(user);
        app.store.end(Whose::User(user.id.clone(), None), Revocation::Version).await?;
    }
    let after = |seconds: u64| now.saturating_add(seconds.saturating_mul(1_000));
    let absolute = policy.absolute_ttl.map(after);
    let idle =
        policy.idle_ttl.map(after).filter(|_| policy.gives_refresh_tokens() || policy.use_counts);
    let row = Row {
        device_name,
        idle_expires_at: idle.map(|idle| absolute.map_or(idle, |absolute| idle.min(absolute))),
        absolute_expires_at: absolute,
        ..Row::opened(&token, user.id.clone(), client)
    };
    app.store.open(row.clone()).await?;
    ledger::began(&app, &row, &headers, now).await?;
    tracing::info!(sid = %row.sid, user = user.id, "signed in");

    let carrier = if app.settings.cookie { Carrier::Cookie } else { Carrier::Body };
    let token = policy.gives_refresh_tokens().then_some(&token);
    tokens::issued(&app, &row, &user, token, carrier).await
}

/// Why nobody is signed in; for the operator, and not for who tried.
fn objection(user: Option<&User>, right: bool) -> Option<&'static str> {
    match user {
        None => Some("unknown"),
        Some(_) if !right => Some("password"),
        Some(user) if user.disabled => Some("disabled"),
        Some(_) => None,
    }
}

#[derive(Debug, Deserialize)]
struct Login {
    username: String,
    password: Secret,
    device_name: Option<String>,
    client_id: Option<String>,
}
