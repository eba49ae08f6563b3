use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde::Deserialize;

use super::issue::{self, TokenBody};
use crate::access_token::RenewableToken;
use crate::admission::Session;
use crate::error::ApiError;
use crate::extract::{Raw, SMALL, content_type, object};
use crate::jwt::seconds;
use crate::policy::Renew;
use crate::state::AppState;
use crate::token_status;

/// Trades an access token for a newer one. Where that is not due yet, the newer one ends with it:
/// whoever is early gains nothing, and is not signed out for asking.
pub(super) async fn renew(
    State(app): State<AppState>,
    RenewableToken(session): RenewableToken,
    headers: HeaderMap,
    Raw(body): Raw<SMALL>,
) -> Result<Response, ApiError> {
    let policy = &app.settings.policy;
    if policy.renew != Renew::Endpoint {
        return Err(ApiError::RenewalNotAllowed);
    }
    let Wish { exp } = wish(&headers, &body)?;
    let now = app.clock.now();
    if exp.is_some_and(|exp| exp <= seconds(now)) {
        return Err(ApiError::InvalidRequest("exp lies in the past"));
    }

    let Session { claims, row, user } = session;
    let due =
        policy.is_due(claims.iat.saturating_mul(1_000), claims.exp.saturating_mul(1_000), now);
    let wanted = exp.into_iter().chain((!due).then_some(claims.exp)).min();
    let life = if due { policy.renewed_life() } else { policy.longest_access() };
    let (access_token, expires_in) = issue::access(&app, &row, &user, now, life, wanted).await?;
    token_status::deny(&app, &claims, now).await?;
    let body = TokenBody {
        access_token,
        token_type: "Bearer",
        expires_in,
        refresh_token: None,
        refresh_in: policy.wish(),
        session_expires_in: row.absolute_expires_at.map(|at| seconds(at.saturating_sub(now))),
    };
    Ok((issue::no_store(HeaderMap::new()), Json(body)).into_response())
}

fn wish(headers: &HeaderMap, body: &[u8]) -> Result<Wish, ApiError> {
    if body.is_empty() {
        return Ok(Wish::default());
    }
    if content_type(headers) != Some("application/json".to_owned()) {
        return Err(ApiError::UnsupportedMediaType);
    }
    object(body)
}

/// What the client would like.
#[derive(Debug, Default, Deserialize)]
struct Wish {
    exp: Option<u64>,
}
