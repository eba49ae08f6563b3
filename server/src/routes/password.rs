use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;

use crate::access_token::AccessToken;
use crate::error::ApiError;
use crate::extract::{Client, JsonBody, LONGEST_PASSWORD, is_longer};
use crate::guess;
use crate::password::Caller;
use crate::secret::Secret;
use crate::state::AppState;
use crate::store::PasswordChange;

/// Whoever holds a session may not guess its password from there any faster than at a sign-in. A new
/// password ends all other sessions of the user, and under some policies this one too.
pub(super) async fn change(
    State(app): State<AppState>,
    client: Client,
    AccessToken(session): AccessToken,
    JsonBody(Wish { current_password, new_password }): JsonBody<Wish>,
) -> Result<StatusCode, ApiError> {
    let new = new_password.expose();
    if new.is_empty() || is_longer(new, LONGEST_PASSWORD) {
        return Err(ApiError::InvalidRequest("a password has 1 to 1024 characters"));
    }
    let user = session.user;
    let current = Some(user.password.clone());
    if !guess::is_right(&app, client, &user.username, current_password, current).await? {
        app.audit.failed(app.clock.now(), "current-password", Some(&user.id), client.0);
        return Err(ApiError::InvalidCredentials);
    }

    let caller = Caller { party: client.party(), now: app.clock.now() };
    let password = app.passwords.hash(new_password, caller).await?;
    let spared = (!app.settings.policy.password_ends_all).then_some(session.row.sid);
    let (user_id, verified) = (user.id, user.password);
    let change = PasswordChange { user_id, verified, password, spared };
    match app.store.change_password(change).await? {
        Some(_) => Ok(StatusCode::NO_CONTENT),
        None => Err(ApiError::InvalidCredentials),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    current_password: Secret,
    new_password: Secret,
}
