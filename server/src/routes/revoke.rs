use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::HeaderMap;

use super::tokens;
use crate::error::ApiError;
use crate::extract::Form;
use crate::rotation::{RefreshToken, Revocation, SessionId};
use crate::state::AppState;
use crate::store::Whose;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/oauth/revoke", post(revoke))
}

/// RFC 7009: ends the session of the token, with `everywhere=true` all sessions of its user; an
/// unknown token is as good as revoked.
async fn revoke(State(app): State<AppState>, mut form: Form) -> Result<Response, ApiError> {
    let token = form.take("token").ok_or(ApiError::InvalidRequest("token is missing"))?;
    let everywhere = form.take("everywhere").is_some_and(|value| value.expose() == "true");
    if let Some(sid) = session_of(&app, token.expose()) {
        let whose = if everywhere { all_of_its_user(&app, sid).await? } else { None };
        let ended = app.store.end(whose.unwrap_or(Whose::Session(sid)), Revocation::Logout).await?;
        tracing::info!(%sid, ended, everywhere, "token revoked");
    }
    Ok(tokens::no_store(HeaderMap::new()).into_response())
}

/// All families of the user whose family this is.
pub(super) async fn all_of_its_user(
    app: &AppState,
    sid: SessionId,
) -> Result<Option<Whose>, ApiError> {
    let session = app.store.session(sid).await?;
    Ok(session.map(|(_, user)| Whose::User(user.id, None)))
}

/// The family of an authentic token of either kind, expired or not.
pub(super) fn session_of(app: &AppState, token: &str) -> Option<SessionId> {
    if let Ok(token) = RefreshToken::parse(token, &app.pepper) {
        return Some(token.sid);
    }
    let claims = app.issuer.authenticate(token, app.clock.now()).ok()?;
    SessionId::parse(&claims.sid)
}
