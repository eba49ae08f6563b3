use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::HeaderMap;
use serde::Deserialize;

use super::tokens::{self, TokenBody};
use crate::error::ApiError;
use crate::extract::{AccessToken, Raw, content_type};
use crate::jwt::seconds;
use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/auth/renew", post(renew))
}

async fn renew(
    State(app): State<AppState>,
    AccessToken(session): AccessToken,
    headers: HeaderMap,
    Raw(body): Raw<1_024>,
) -> Result<Response, ApiError> {
    if !app.settings.policy.renewal {
        return Err(ApiError::RenewalNotAllowed);
    }
    let Wish { exp } = wish(&headers, &body)?;
    let now = app.clock.now();
    if exp.is_some_and(|exp| exp <= seconds(now)) {
        return Err(ApiError::InvalidRequest("exp lies in the past"));
    }

    let (access_token, expires_in) = tokens::access(&app, &session.row, &session.user, now, exp)?;
    let ends = session.row.absolute_expires_at;
    let body = TokenBody {
        access_token,
        token_type: "Bearer",
        expires_in,
        refresh_token: None,
        session_expires_in: ends.map(|at| seconds(at.saturating_sub(now))),
    };
    Ok((tokens::no_store(HeaderMap::new()), Json(body)).into_response())
}

fn wish(headers: &HeaderMap, body: &[u8]) -> Result<Wish, ApiError> {
    if body.is_empty() {
        return Ok(Wish::default());
    }
    if content_type(headers) != Some("application/json".to_owned()) {
        return Err(ApiError::UnsupportedMediaType);
    }
    serde_json::from_slice(body)
        .map_err(|_| ApiError::InvalidRequest("exp is a whole number of epoch seconds"))
}

/// What the client would like.
#[derive(Debug, Default, Deserialize)]
struct Wish {
    exp: Option<u64>,
}
