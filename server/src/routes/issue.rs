use axum::Json;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{CACHE_CONTROL, PRAGMA, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use serde::Serialize;

use crate::error::ApiError;
use crate::extract::CookieJar;
use crate::jwt::{Claims, Seconds, seconds};
use crate::rotation::{Millis, RefreshToken, SessionFamily};
use crate::secret::random;
use crate::state::AppState;
use crate::store::{Outcome, Renewed, User};
use crate::token_status;

/// Where the client keeps its refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    Body,
    Cookie,
}

/// Counts what a refresh came to, and answers it.
pub(super) async fn refreshed(
    app: &AppState,
    outcome: Outcome,
    carrier: Carrier,
) -> Result<Response, ApiError> {
    app.stats.refresh(outcome.transition);
    if let Err(refusal) = &outcome.answer {
        tracing::info!(transition = outcome.transition.name(), ?refusal, "refresh refused");
    }
    let Renewed { token, replayed, row, user } = outcome.answer?;
    tracing::info!(transition = outcome.transition.name(), sid = %row.sid, "refreshed");

    // A cookie that is the session's name rolls on here as it does with any other request.
    let rolls = app.settings.policy.cookie_session;
    let token = if rolls { token.redated(app.clock.now()) } else { token };
    let mut response = issued(app, &row, &user, Some(&token), carrier).await?;
    if replayed {
        response.headers_mut().insert("refresh-replayed", HeaderValue::from_static("1"));
    }
    Ok(response)
}

/// A token response for a family, with the refresh token where it belongs.
pub(super) async fn issued(
    app: &AppState,
    row: &SessionFamily,
    user: &User,
    refresh: Option<&RefreshToken>,
    carrier: Carrier,
) -> Result<Response, ApiError> {
    let now = app.clock.now();
    let life = app.settings.policy.access_ttl;
    let (access_token, expires_in) = access(app, row, user, now, life, None).await?;
    let refresh = refresh.map(|token| token.encode(&app.pepper));
    let mut headers = HeaderMap::new();
    if let (Carrier::Cookie, Some(token)) = (carrier, &refresh) {
        let cookie = CookieJar::of(&app.settings).set(token, cookie_life(row, now));
        let cookie = cookie.ok_or(ApiError::Internal)?;
        headers.insert(SET_COOKIE, cookie);
    }

    let body = TokenBody {
        access_token,
        token_type: "Bearer",
        expires_in,
        refresh_token: refresh.filter(|_| carrier == Carrier::Body),
        refresh_in: app.settings.policy.wish(),
        session_expires_in: row.absolute_expires_at.map(|at| seconds(at.saturating_sub(now))),
    };
    Ok((no_store(headers), Json(body)).into_response())
}

/// Signs an access token that lives for so many seconds at most; answers with what is left of them
/// too.
///
/// The expiry is rounded up to a full second, so that `expires_in` never promises too much.
pub(crate) async fn access(
    app: &AppState,
    row: &SessionFamily,
    user: &User,
    now: Millis,
    life: u64,
    wanted: Option<Seconds>,
) -> Result<(String, u64), ApiError> {
    let longest = now.saturating_add(life.saturating_mul(1_000));
    let end = row.absolute_expires_at.map_or(longest, |at| longest.min(at)).div_ceil(1_000);
    let exp = wanted.map_or(end, |wanted| wanted.min(end));
    let jti = URL_SAFE_NO_PAD.encode(random::<16>()?);
    let claims = Claims { jti, ..token_status::claims(app, row, user, now, exp) };
    let token = app.issuer.sign(&claims, now).map_err(|flaw| {
        tracing::error!(%flaw, "no access token could be signed");
        ApiError::Internal
    })?;
    token_status::issued(app, row, &claims, now).await?;
    Ok((token, seconds(exp.saturating_mul(1_000).saturating_sub(now))))
}

/// How long a browser is to keep the cookie of a session, in seconds.
pub(crate) fn cookie_life(row: &SessionFamily, now: Millis) -> u64 {
    let ends = row.idle_expires_at.into_iter().chain(row.absolute_expires_at).min();
    ends.map_or(YEAR, |at| at.saturating_sub(now).div_ceil(1_000))
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
    /// Renew before this, though the token lives on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refresh_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session_expires_in: Option<u64>,
}

const YEAR: u64 = 365 * 86_400;
