use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use serde::Serialize;
use serde_json::Value;

use crate::error::ApiError;
use crate::rotation::{Millis, SessionFamily, Status};
use crate::state::AppState;
use crate::stats::Counted;
use crate::store::MarkKind;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/stats", get(stats))
        .route("/sessions", get(sessions))
        .route("/issued/{jti}", get(issued))
}

async fn stats(State(app): State<AppState>) -> Json<Counted> {
    Json(app.stats.counted())
}

async fn sessions(State(app): State<AppState>) -> Result<Json<Sessions>, ApiError> {
    let rows = app.store.sessions(None).await?;
    Ok(Json(Sessions { sessions: rows.into_iter().map(Session::from).collect() }))
}

/// What the issue log has about an access token.
async fn issued(
    State(app): State<AppState>,
    Path(jti): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let noted = app.store.noted(MarkKind::Issued, jti, app.clock.now()).await?;
    let text = noted.ok_or(ApiError::NotFound)?.text;
    serde_json::from_str(&text).map(Json).map_err(|_| ApiError::Internal)
}

#[derive(Serialize)]
struct Sessions {
    sessions: Vec<Session>,
}

#[derive(Serialize)]
struct Session {
    sid: String,
    user_id: String,
    client_id: String,
    device_name: Option<String>,
    status: Status,
    generation: u32,
    keyed: bool,
    replays: u32,
    auth_time: Millis,
    created_at: Millis,
    last_used_at: Millis,
    idle_expires_at: Option<Millis>,
    absolute_expires_at: Option<Millis>,
}

impl From<SessionFamily> for Session {
    fn from(row: SessionFamily) -> Self {
        Self {
            sid: row.sid.to_string(),
            user_id: row.user_id,
            client_id: row.client_id,
            device_name: row.device_name,
            status: row.status,
            generation: row.generation,
            keyed: row.keyed,
            replays: row.replays,
            auth_time: row.auth_time,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            idle_expires_at: row.idle_expires_at,
            absolute_expires_at: row.absolute_expires_at,
        }
    }
}
