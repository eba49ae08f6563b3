//! Passwords that are looked at, and what a wrong one costs.

use crate::error::ApiError;
use crate::extract::Client;
use crate::limits::Limited;
use crate::password::{Caller, PasswordError};
use crate::secret::Secret;
use crate::state::AppState;

/// Whether a password is the stored one. What a wrong one costs is taken before it is looked at, and
/// given back when it is right: else any number that come at once would be looked at.
pub(crate) async fn is_right(
    app: &AppState,
    client: Client,
    username: &str,
    password: Secret,
    stored: Option<Secret>,
) -> Result<bool, ApiError> {
    let (party, now) = (client.party(), app.clock.now());
    let login = Limited::Login(party, username.to_owned());
    app.limits.take(Limited::Failure(party), now)?;
    let right = match app.limits.take(login.clone(), now) {
        Ok(()) => app
            .passwords
            .check(password, stored, Caller { party, now })
            .await
            .map_err(ApiError::from),
        Err(later) => Err(later.into()),
    };
    if right != Ok(false) {
        app.limits.give_back(&Limited::Failure(party));
    }
    if right == Err(ApiError::Busy) {
        app.limits.give_back(&login);
    }
    right
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Full => Self::Busy,
            PasswordError::Failed => {
                tracing::error!(%error, "a password could not be handled");
                Self::Internal
            }
        }
    }
}
