use axum::Json;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{CACHE_CONTROL, PRAGMA, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use serde::Serialize;

use crate::error::ApiError;
use crate::extract::CookieJar;
use crate::jwt::{Claims, seconds};
use crate::rotation::{Millis, Profile, RefreshToken, Row};
use crate::secret::random;
use crate::state::AppState;
use crate::store::{Outcome, Renewed, User};

/// Where the client keeps its refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    Body,
    Cookie,
}

/// Counts what a refresh came to, and answers it.
pub(super) fn refreshed(
    app: &AppState,
    outcome: Outcome,
    carrier: Carrier,
) -> Result<Response, ApiError> {
    app.stats.refresh(outcome.transition);
    if let Err(refusal) = &outcome.answer {
        tracing::info!(transition = ?outcome.transition, ?refusal, "refresh refused");
    }
    let Renewed { token, replayed, row, user } = outcome.answer?;
    tracing::info!(transition = ?outcome.transition, sid = %row.sid, "refreshed");

    let mut response = issued(app, &row, &user, Some(&token), carrier)?;
    if replayed {
        response.headers_mut().insert("refresh-replayed", HeaderValue::from_static("1"));
    }
    Ok(response)
}

/// A token response for a family, with the refresh token where it belongs.
pub(super) fn issued(
    app: &AppState,
    row: &Row,
    user: &User,
    refresh: Option<&RefreshToken>,
    carrier: Carrier,
) -> Result<Response, ApiError> {
    let now = app.clock.now();
    let (access_token, expires_in) = access(app, row, user, now, None)?;
    let refresh = refresh.map(|token| token.encode(&app.pepper));
    let mut headers = HeaderMap::new();
    if let (Carrier::Cookie, Some(token)) = (carrier, &refresh) {
        let ends = row.idle_expires_at.into_iter().chain(row.absolute_expires_at).min();
        let left = ends.map_or(YEAR, |at| at.saturating_sub(now).div_ceil(1_000));
        let cookie = CookieJar::of(&app.settings).set(token, left).ok_or(ApiError::Internal)?;
        headers.insert(SET_COOKIE, cookie);
    }

    let body = TokenBody {
        access_token,
        token_type: "Bearer",
        expires_in,
        refresh_token: refresh.filter(|_| carrier == Carrier::Body),
        session_expires_in: row.absolute_expires_at.map(|at| seconds(at.saturating_sub(now))),
    };
    Ok((no_store(headers), Json(body)).into_response())
}

/// Signs an access token; answers with its remaining seconds too.
///
/// The expiry is rounded up to a full second, so that `expires_in` never promises too much.
pub(super) fn access(
    app: &AppState,
    row: &Row,
    user: &User,
    now: Millis,
    wanted: Option<u64>,
) -> Result<(String, u64), ApiError> {
    let longest = now.saturating_add(app.settings.policy.access_ttl.saturating_mul(1_000));
    let end = row.absolute_expires_at.map_or(longest, |at| longest.min(at)).div_ceil(1_000);
    let exp = wanted.map_or(end, |wanted| wanted.min(end));
    let claims = Claims {
        iss: app.issuer.issuer.clone(),
        sub: user.id.clone(),
        aud: app.issuer.audience.clone(),
        client_id: row.client_id.clone(),
        iat: seconds(now),
        exp,
        jti: URL_SAFE_NO_PAD.encode(random::<16>()?),
        sid: row.sid.to_string(),
        auth_time: seconds(row.auth_time),
        session_expiry: row.absolute_expires_at.map(seconds),
        generation: (app.settings.profile != Profile::Keyed).then_some(row.generation),
        profile: user.into(),
    };
    let token = app.issuer.sign(&claims, now).map_err(|flaw| {
        tracing::error!(%flaw, "no access token could be signed");
        ApiError::Internal
    })?;
    Ok((token, seconds(exp.saturating_mul(1_000).saturating_sub(now))))
}

pub(super) fn no_store(mut headers: HeaderMap) -> HeaderMap {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers
}

#[derive(Serialize)]
pub(super) struct TokenBody {
    pub(super) access_token: String,
    pub(super) token_type: &'static str,
    pub(super) expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session_expires_in: Option<u64>,
}

const YEAR: u64 = 365 * 86_400;
