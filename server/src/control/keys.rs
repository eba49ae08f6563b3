use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde::Deserialize;
use serde_json::Value;

use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::jwt::seconds;
use crate::shared_keys;
use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/keys/rotate", post(rotate)).route("/keys/drop", post(discard))
}

async fn rotate(
    State(app): State<AppState>,
    JsonBody(Wish { now }): JsonBody<Wish>,
) -> Result<Json<Value>, ApiError> {
    let at = seconds(app.clock.now());
    let longest = app.settings.policy.longest_access().saturating_add(app.settings.leeway);
    shared_keys::change(&app, |keys| keys.rotate(at, now, longest)).await.map_err(|error| {
        tracing::error!(%error, "the keys could not be rotated");
        ApiError::Internal
    })?;
    Ok(Json(app.issuer.keys.jwks(at)))
}

async fn discard(
    State(app): State<AppState>,
    JsonBody(Leaked { kid }): JsonBody<Leaked>,
) -> Result<Json<Value>, ApiError> {
    let at = seconds(app.clock.now());
    match shared_keys::change(&app, |keys| keys.drop_key(&kid, at)).await {
        Ok(true) => Ok(Json(app.issuer.keys.jwks(at))),
        Ok(false) => Err(ApiError::NotFound),
        Err(error) => {
            tracing::error!(%error, "the key could not be dropped");
            Err(ApiError::Internal)
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Leaked {
    kid: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    #[serde(default)]
    now: bool,
}
