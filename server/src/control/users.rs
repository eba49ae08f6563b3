use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::accounts::{self, AccountError};
use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::secret::Secret;
use crate::state::AppState;
use crate::store::{Change, User};

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/users", post(add))
        .route("/users/{name}", post(change))
        .route("/users/{name}", get(show))
}

async fn add(
    State(app): State<AppState>,
    JsonBody(request): JsonBody<NewUser>,
) -> Result<(StatusCode, Json<Shown>), ApiError> {
    let NewUser { username, password, name, phone, is_manager } = request;
    let user = accounts::new_user(&app.passwords, &username, password, app.clock.now()).await;
    let mut user = user.map_err(|error| match error {
        AccountError::Name => ApiError::InvalidRequest("a user name has 1 to 200 characters"),
        AccountError::PasswordLength => {
            ApiError::InvalidRequest("a password has 1 to 1024 characters")
        }
        error => {
            tracing::error!(%error, "the user could not be made");
            ApiError::Internal
        }
    })?;
    user.name = name.unwrap_or(user.name);
    user.phone = phone;
    user.is_manager = is_manager;
    if !app.store.add_user(user.clone()).await? {
        return Err(ApiError::InvalidRequest("there is a user of that name"));
    }
    Ok((StatusCode::CREATED, Json(user.into())))
}

async fn show(
    State(app): State<AppState>,
    Path(name): Path<String>,
) -> Result<Json<Shown>, ApiError> {
    let user = app.store.user_named(name).await?.ok_or(ApiError::NotFound)?;
    Ok(Json(user.into()))
}

async fn change(
    State(app): State<AppState>,
    Path(name): Path<String>,
    JsonBody(change): JsonBody<Change>,
) -> Result<Json<Shown>, ApiError> {
    let user = app.store.user_named(name).await?.ok_or(ApiError::NotFound)?;
    let user = app.store.change_user(user.id, change).await?.ok_or(ApiError::NotFound)?;
    Ok(Json(user.into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUser {
    username: String,
    password: Secret,
    name: Option<String>,
    phone: Option<String>,
    #[serde(default)]
    is_manager: bool,
}

#[derive(Serialize)]
struct Shown {
    id: String,
    username: String,
    name: String,
    phone: Option<String>,
    is_manager: bool,
    disabled: bool,
    reauth: bool,
    version: u32,
}

impl From<User> for Shown {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            username: user.username,
            name: user.name,
            phone: user.phone,
            is_manager: user.is_manager,
            disabled: user.disabled,
            reauth: user.reauth,
            version: user.version,
        }
    }
}
