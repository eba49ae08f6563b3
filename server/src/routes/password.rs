use axum::extract::State;
use axum::routing::post;
use axum::{Extension, Router};
use http::StatusCode;
use serde::Deserialize;

use crate::error::ApiError;
use crate::extract::{AccessToken, JsonBody, LONGEST_PASSWORD, is_longer};
use crate::limits::Limited;
use crate::password::PasswordError;
use crate::rotation::Revocation;
use crate::secret::Secret;
use crate::serve::Peer;
use crate::state::AppState;
use crate::store::{Change, Whose};

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/auth/password", post(change))
}

/// Whoever holds a session may not guess its password from there any faster than at a sign-in. A new
/// password ends all other sessions of the user, and under some policies this one too.
async fn change(
    State(app): State<AppState>,
    peer: Option<Extension<Peer>>,
    AccessToken(session): AccessToken,
    JsonBody(request): JsonBody<PasswordChange>,
) -> Result<StatusCode, ApiError> {
    let PasswordChange { current_password, new_password } = request;
    let new = new_password.expose();
    if new.is_empty() || is_longer(new, LONGEST_PASSWORD) {
        return Err(ApiError::InvalidRequest("a password has 1 to 1024 characters"));
    }
    let user = session.user;
    let address = peer.map(|Extension(Peer(address))| address.ip());
    let now = app.clock.now();
    app.limits.check(Limited::Failure(address), now)?;
    app.limits.take(Limited::Login(address, user.username.clone()), now)?;
    let right =
        app.passwords.check(current_password, Some(user.password)).await.map_err(internal)?;
    if !right {
        app.audit.failed(now, "current-password", Some(&user.id), address);
        app.limits.take(Limited::Failure(address), now)?;
        return Err(ApiError::InvalidCredentials);
    }

    let password = app.passwords.hash(new_password).await.map_err(internal)?;
    let change = Change { password: Some(password), ..Change::default() };
    app.store.change_user(user.id.clone(), change).await?;
    let spared = (!app.settings.policy.password_ends_all).then_some(session.row.sid);
    app.store.end(Whose::User(user.id, spared), Revocation::Password).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn internal(error: PasswordError) -> ApiError {
    tracing::error!(%error, "a password could not be handled");
    ApiError::Internal
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    current_password: Secret,
    new_password: Secret,
}
