use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use http::HeaderMap;

use super::token;
use super::tokens::{self, Carrier};
use crate::error::ApiError;
use crate::extract::{CookieJar, TrustedOrigin, rotation_key};
use crate::serve::Peer;
use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/auth/refresh", post(refresh))
}

async fn refresh(
    State(app): State<AppState>,
    peer: Option<Extension<Peer>>,
    _: TrustedOrigin,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let key = rotation_key(&headers, None)?;
    let presented = CookieJar::of(&app.settings).read(&headers);
    let presented = presented.ok_or(ApiError::InvalidGrant("there is no session cookie", None))?;
    let outcome = token::refresh(&app, peer, &headers, &presented, key, None).await?;
    tokens::refreshed(&app, outcome, Carrier::Cookie).await
}
