use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;

use super::issue;
use crate::access_token::AccessToken;

pub(super) async fn me(AccessToken(session): AccessToken) -> Response {
    (issue::no_store(HeaderMap::new()), Json(session.claims)).into_response()
}
