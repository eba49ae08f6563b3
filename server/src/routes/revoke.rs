use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;

use super::issue;
use crate::error::ApiError;
use crate::extract::Form;
use crate::jwt::Claims;
use crate::rotation::{RefreshToken, SessionId};
use crate::state::AppState;
use crate::token_status;

/// RFC 7009: ends the session of the token, with `everywhere=true` all sessions of its user; an
/// unknown token is as good as revoked.
pub(super) async fn revoke(
    State(app): State<AppState>,
    mut form: Form,
) -> Result<Response, ApiError> {
    let token = form.take("token").ok_or(ApiError::InvalidRequest("token is missing"))?;
    let everywhere = form.take("everywhere").is_some_and(|value| value.expose() == "true");
    if let Some(Held { sid, claims }) = held(&app, token.expose()) {
        let ended = token_status::sign_out(&app, sid, claims.as_ref(), everywhere).await?;
        tracing::info!(%sid, ended, everywhere, "token revoked");
    }
    Ok(issue::no_store(HeaderMap::new()).into_response())
}

/// What an authentic token of either kind proves, expired or not.
pub(super) struct Held {
    pub(super) sid: SessionId,
    pub(super) claims: Option<Claims>,
}

pub(super) fn held(app: &AppState, token: &str) -> Option<Held> {
    if let Ok(token) = RefreshToken::parse(token, &app.pepper) {
        return Some(Held { sid: token.sid, claims: None });
    }
    let claims = app.issuer.authenticate(token, app.clock.now()).ok()?;
    Some(Held { sid: SessionId::parse(&claims.sid)?, claims: Some(claims) })
}
