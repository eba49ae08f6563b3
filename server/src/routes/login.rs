use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;

use super::issue::{self, Carrier};
use crate::error::ApiError;
use crate::extract::{Client, JsonBody, LONGEST_NAME, LONGEST_PASSWORD, is_longer};
use crate::guess;
use crate::rotation::{RefreshToken, SessionFamily, SessionId};
use crate::secret::{Secret, random};
use crate::state::AppState;
use crate::store::{SignIn, SignedIn, User};
use crate::token_status;

pub(super) async fn login(
    State(app): State<AppState>,
    client: Client,
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

    let user = app.store.user_named(username.clone()).await?;
    let stored = user.as_ref().map(|user| user.password.clone());
    let right = guess::is_right(&app, client, &username, password, stored).await?;
    // It may have waited for a while.
    let now = app.clock.now();
    if let Some(why) = objection(user.as_ref(), right) {
        app.audit.failed(now, why, user.as_ref().map(|user| user.id.as_str()), client.0);
        return Err(ApiError::InvalidCredentials);
    }
    let user = user.ok_or(ApiError::InvalidCredentials)?;

    let token = RefreshToken::first(SessionId(random()?), now, random()?);
    let client_id = client_id.unwrap_or_else(|| "default".to_owned());
    let policy = &app.settings.policy;
    let after = |seconds: u64| now.saturating_add(seconds.saturating_mul(1_000));
    let absolute = policy.absolute_ttl.map(after);
    let idle =
        policy.idle_ttl.map(after).filter(|_| policy.gives_refresh_tokens() || policy.use_counts);
    let row = SessionFamily {
        device_name,
        idle_expires_at: idle.map(|idle| absolute.map_or(idle, |absolute| idle.min(absolute))),
        absolute_expires_at: absolute,
        ..SessionFamily::opened(&token, user.id.clone(), client_id)
    };
    let (note, voids_others) =
        (token_status::agent_mark(&app, &row, &headers), policy.bump_at_sign_in);
    let sign_in = SignIn { row, verified: user.password, voids_others, note };
    let Some(SignedIn { row, user, .. }) = app.store.sign_in(sign_in).await? else {
        app.audit.failed(now, "changed", Some(&user.id), client.0);
        return Err(ApiError::InvalidCredentials);
    };
    tracing::info!(sid = %row.sid, user = user.id, "signed in");

    let carrier = if app.settings.cookie { Carrier::Cookie } else { Carrier::Body };
    let token = policy.gives_refresh_tokens().then_some(&token);
    issue::issued(&app, &row, &user, token, carrier).await
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
pub(super) struct Login {
    username: String,
    password: Secret,
    device_name: Option<String>,
    client_id: Option<String>,
}
