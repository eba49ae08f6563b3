use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::Serialize;

use crate::access_token::AccessToken;
use crate::error::ApiError;
use crate::jwt::{Seconds, seconds};
use crate::rotation::{Revocation, SessionFamily, SessionId, Status};
use crate::state::AppState;
use crate::store::SessionSelector;

pub(super) async fn devices(
    State(app): State<AppState>,
    AccessToken(session): AccessToken,
) -> Result<Json<Devices>, ApiError> {
    let now = app.clock.now();
    let mut rows = app.store.sessions(Some(session.user.id)).await?;
    rows.retain(|row| row.status == Status::Active && row.expiry(now, None).is_none());
    let device = |row: SessionFamily| Device {
        id: row.sid.to_string(),
        current: row.sid == session.row.sid,
        name: row.device_name,
        created_at: seconds(row.created_at),
        last_used_at: seconds(row.last_used_at),
    };
    Ok(Json(Devices { devices: rows.into_iter().map(device).collect() }))
}

pub(super) async fn remove(
    State(app): State<AppState>,
    AccessToken(session): AccessToken,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let sid = SessionId::parse(&id).ok_or(ApiError::NotFound)?;
    let whose = SessionSelector::SessionOf(session.user.id, sid);
    if app.store.end(whose, Revocation::Device).await?.is_empty() {
        return Err(ApiError::NotFound);
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
pub(super) struct Devices {
    devices: Vec<Device>,
}

#[derive(Serialize)]
pub(super) struct Device {
    id: String,
    name: Option<String>,
    current: bool,
    created_at: Seconds,
    last_used_at: Seconds,
}
