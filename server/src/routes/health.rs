use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::state::AppState;

/// The process answers.
pub(super) async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// The store can be written.
pub(super) async fn readyz(State(app): State<AppState>) -> Result<Json<Value>, ApiError> {
    app.store.probe().await?;
    Ok(Json(json!({ "status": "ready" })))
}
