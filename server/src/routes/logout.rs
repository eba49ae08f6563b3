use axum::extract::{FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;

use super::issue;
use super::revoke::{self, Held};
use crate::error::ApiError;
use crate::extract::{
    CookieJar, Form, Raw, SMALL, TrustedOrigin, bearer, content_type, object, trust,
};
use crate::rotation::Status;
use crate::secret::Secret;
use crate::state::AppState;
use crate::token_status;

pub(super) async fn logout(
    State(app): State<AppState>,
    request: Request,
) -> Result<Response, ApiError> {
    end(&app, request, false).await
}

pub(super) async fn logout_everywhere(
    State(app): State<AppState>,
    request: Request,
) -> Result<Response, ApiError> {
    end(&app, request, true).await
}

async fn end(app: &AppState, request: Request, everywhere: bool) -> Result<Response, ApiError> {
    // No foreign page can send either without our consent.
    let ours = request.headers().contains_key(AUTHORIZATION)
        || trust(&app.settings, request.headers()).is_ok();
    let cookie = CookieJar::of(&app.settings).read(request.headers());
    let cookie = cookie.filter(|_| app.settings.cookie);
    let caller = caller(app, request, cookie.as_ref()).await?;
    if let Some(Held { sid, claims }) = &caller {
        let ended = token_status::sign_out(app, *sid, claims.as_ref(), everywhere).await?;
        tracing::info!(%sid, ended, everywhere, "signed out");
    }
    let worthless = match cookie {
        Some(cookie) => !is_of_a_living_session(app, &cookie).await?,
        None => app.settings.cookie,
    };
    let mut headers = issue::no_store(HeaderMap::new());
    if ours || caller.is_some() {
        // Not cookies and storage: those of the whole site would go, and with the session's record
        // the other tabs' knowledge of the end.
        headers.insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    }
    if let Some(cleared) = CookieJar::of(&app.settings).clear().filter(|_| ours && worthless) {
        headers.insert(SET_COOKIE, cleared);
    }
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

/// Whether the cookie is of another session, which must not lose it.
async fn is_of_a_living_session(app: &AppState, cookie: &Secret) -> Result<bool, ApiError> {
    let Some(Held { sid, .. }) = revoke::held(app, cookie.expose()) else { return Ok(false) };
    Ok(app.store.session(sid).await?.is_some_and(|(row, _)| row.status == Status::Active))
}

/// The family that the request proves to hold, by any of its tokens. A token need not be fresh for
/// this, only authentic: whoever was asleep when it expired can still sign out.
async fn caller(
    app: &AppState,
    request: Request,
    cookie: Option<&Secret>,
) -> Result<Option<Held>, ApiError> {
    let (mut parts, body) = request.into_parts();
    if let Some(token) = bearer(&parts.headers)? {
        return Ok(revoke::held(app, token));
    }
    let kind = content_type(&parts.headers);
    let Raw(body) = axum::RequestExt::extract::<Raw<SMALL>, _>(Request::new(body)).await?;
    if let Some(token) = refresh_token(kind.as_deref(), &body)? {
        return Ok(revoke::held(app, token.expose()));
    }
    match cookie {
        Some(token) => {
            TrustedOrigin::from_request_parts(&mut parts, app).await?;
            Ok(revoke::held(app, token.expose()))
        }
        None => Ok(None),
    }
}

fn refresh_token(kind: Option<&str>, body: &[u8]) -> Result<Option<Secret>, ApiError> {
    match kind {
        _ if body.is_empty() => Ok(None),
        Some("application/json") => Ok(object::<Body>(body)?.refresh_token),
        Some("application/x-www-form-urlencoded") => Ok(Form::parse(body)?.take("refresh_token")),
        _ => Err(ApiError::UnsupportedMediaType),
    }
}

#[derive(Debug, Deserialize)]
struct Body {
    refresh_token: Option<Secret>,
}
