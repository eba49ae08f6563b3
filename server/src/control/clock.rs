use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/clock", post(set)).route("/clock", get(show))
}

async fn show(State(app): State<AppState>) -> Json<Time> {
    Json(Time::of(&app.clock))
}

async fn set(
    State(app): State<AppState>,
    JsonBody(wish): JsonBody<Wish>,
) -> Result<Json<Time>, ApiError> {
    let Wish { advance_seconds, skew_seconds, freeze } = wish;
    let skew = skew_seconds.map(millis).transpose()?;
    let advance = advance_seconds.map(millis).transpose()?;
    if let Some(millis) = skew {
        app.clock.skew(millis);
    }
    if let Some(millis) = advance {
        app.clock.advance(millis);
    }
    match freeze {
        Some(true) => app.clock.freeze(),
        Some(false) => app.clock.run(),
        None => {}
    }
    Ok(Json(Time::of(&app.clock)))
}

/// Fractions of a second are fine; centuries are not.
fn millis(seconds: f64) -> Result<i64, ApiError> {
    if seconds.abs() > 1e10 {
        return Err(ApiError::InvalidRequest("the clock cannot go that far"));
    }
    Ok((seconds * 1_000.0).round() as i64)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    advance_seconds: Option<f64>,
    skew_seconds: Option<f64>,
    freeze: Option<bool>,
}

#[derive(Serialize)]
struct Time {
    now: f64,
    frozen: bool,
}

impl Time {
    fn of(clock: &Clock) -> Self {
        Self { now: clock.now() as f64 / 1_000.0, frozen: clock.is_frozen() }
    }
}
