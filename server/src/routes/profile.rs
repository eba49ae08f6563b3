use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use crate::access_token::AccessToken;
use crate::error::ApiError;
use crate::extract::{JsonBody, LONGEST_NAME, is_longer};
use crate::jwt::Profile;
use crate::state::AppState;
use crate::store::{Change, present};

/// Changes what the user may change; tokens say so from the next refresh on.
pub(super) async fn change(
    State(app): State<AppState>,
    AccessToken(session): AccessToken,
    JsonBody(ProfileChange { name, phone }): JsonBody<ProfileChange>,
) -> Result<Json<Profile>, ApiError> {
    let long = |text: Option<&String>| text.is_some_and(|text| is_longer(text, LONGEST_NAME));
    if long(name.as_ref()) || long(phone.as_ref().and_then(Option::as_ref)) {
        return Err(ApiError::InvalidRequest("a name or number has at most 200 characters"));
    }
    let change = Change { name, phone, ..Change::default() };
    let user = app.store.change_user(session.user.id, change).await?;
    Ok(Json(Profile::from(&user.ok_or(ApiError::NotFound)?)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileChange {
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    phone: Option<Option<String>>,
}
