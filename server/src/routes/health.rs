use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz))
}

/// The process answers.
async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// The store can be written.
async fn readyz(State(app): State<AppState>) -> Result<Json<Value>, ApiError> {
    app.store.probe().await?;
    Ok(Json(json!({ "status": "ready" })))
}
