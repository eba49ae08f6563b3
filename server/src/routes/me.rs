use axum::Json;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::HeaderMap;

use super::issue;
use crate::extract::AccessToken;
use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/api/me", get(me))
}

async fn me(AccessToken(session): AccessToken) -> Response {
    (issue::no_store(HeaderMap::new()), Json(session.claims)).into_response()
}
