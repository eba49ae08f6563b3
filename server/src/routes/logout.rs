use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;

use super::{revoke, tokens};
use crate::error::ApiError;
use crate::extract::{CookieJar, Form, Raw, TrustedOrigin, bearer, content_type};
use crate::rotation::{Revocation, SessionId};
use crate::secret::Secret;
use crate::state::AppState;
use crate::store::Whose;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/auth/logout", post(logout))
        .route("/auth/logout-everywhere", post(logout_everywhere))
}

async fn logout(State(app): State<AppState>, request: Request) -> Result<Response, ApiError> {
    if let Some(sid) = caller(&app, request).await? {
        app.store.end(Whose::Session(sid), Revocation::Logout).await?;
        tracing::info!(%sid, "signed out");
    }
    Ok(signed_out(&app))
}

async fn logout_everywhere(
    State(app): State<AppState>,
    request: Request,
) -> Result<Response, ApiError> {
    if let Some(sid) = caller(&app, request).await?
        && let Some(whose) = revoke::all_of_its_user(&app, sid).await?
    {
        let ended = app.store.end(whose, Revocation::Logout).await?;
        tracing::info!(%sid, ended, "signed out everywhere");
    }
    Ok(signed_out(&app))
}

/// The family that the request proves to hold, by any of its tokens. A token need not be fresh for
/// this, only authentic: whoever was asleep when it expired can still sign out.
async fn caller(app: &AppState, request: Request) -> Result<Option<SessionId>, ApiError> {
    let (mut parts, body) = request.into_parts();
    if let Some(token) = bearer(&parts.headers)? {
        return Ok(revoke::session_of(app, token));
    }
    let kind = content_type(&parts.headers);
    let Raw(body) = axum::RequestExt::extract::<Raw<65_536>, _>(Request::new(body)).await?;
    if let Some(token) = refresh_token(kind.as_deref(), &body)? {
        return Ok(revoke::session_of(app, token.expose()));
    }
    match CookieJar::of(&app.settings).read(&parts.headers) {
        Some(token) => {
            TrustedOrigin::from_request_parts(&mut parts, app).await?;
            Ok(revoke::session_of(app, token.expose()))
        }
        None => Ok(None),
    }
}

fn refresh_token(kind: Option<&str>, body: &[u8]) -> Result<Option<Secret>, ApiError> {
    match kind {
        _ if body.is_empty() => Ok(None),
        Some("application/json") => {
            let body: Body = serde_json::from_slice(body).map_err(|_| {
                ApiError::InvalidRequest("the body is not the JSON that this route reads")
            })?;
            Ok(body.refresh_token)
        }
        Some("application/x-www-form-urlencoded") => Ok(Form::parse(body)?.take("refresh_token")),
        _ => Err(ApiError::UnsupportedMediaType),
    }
}

fn signed_out(app: &AppState) -> Response {
    let mut headers = tokens::no_store(HeaderMap::new());
    // Not cookies and storage: those of the whole site would go, and with the session's record the
    // other tabs' knowledge of the end.
    headers.insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    if let Some(cookie) = CookieJar::of(&app.settings).clear().filter(|_| app.settings.cookie) {
        headers.insert(SET_COOKIE, cookie);
    }
    (StatusCode::NO_CONTENT, headers).into_response()
}

#[derive(Debug, Deserialize)]
struct Body {
    refresh_token: Option<Secret>,
}
