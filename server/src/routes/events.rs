use std::time::Duration;

use axum::Error;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::CACHE_CONTROL;
use serde_json::json;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError::Lagged;

use super::introspect;
use crate::error::ApiError;
use crate::extract::Client;
use crate::state::AppState;

/// A stream of server-sent events for gateways that keep answers of introspection: forget these.
pub(super) async fn events(
    State(app): State<AppState>,
    client: Client,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    introspect::admit(&app, client, &headers)?;
    let receiver = app.events.subscribe().ok_or(ApiError::Unavailable)?;
    let ends = BroadcastStream::new(receiver).map(|end| match end {
        Ok(end) => Event::default().event("ended").json_data(&end),
        Err(Lagged(missed)) => {
            Event::default().event("missed").json_data(json!({ "missed": missed }))
        }
    });
    // The first piece comes at once: it tells that the subscription stands.
    let first: Result<_, Error> = Ok(Event::default().comment("subscribed"));
    let alive = KeepAlive::new().interval(HEARTBEAT).text("still here");
    let stream = Sse::new(tokio_stream::once(first).chain(ends)).keep_alive(alive);
    Ok(([(CACHE_CONTROL, "no-store")], stream).into_response())
}

/// Often enough that no proxy takes the silence for the end.
const HEARTBEAT: Duration = Duration::from_secs(15);
