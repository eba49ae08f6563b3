use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::tokens;
use crate::admission;
use crate::error::ApiError;
use crate::extract::Form;
use crate::jwt::seconds;
use crate::limits::Limited;
use crate::rotation::{RefreshToken, Row, SessionId, Status};
use crate::secret::Secret;
use crate::state::AppState;
use crate::store::User;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/oauth/introspect", post(introspect))
}

/// RFC 7662: tells a service of ours whether a token is good right now.
async fn introspect(
    State(app): State<AppState>,
    headers: HeaderMap,
    mut form: Form,
) -> Result<Response, ApiError> {
    let client = client(&app, &headers).ok_or(ApiError::InvalidClient)?;
    app.limits.take(Limited::Introspection(client), app.clock.now())?;
    let token = form.take("token").ok_or(ApiError::InvalidRequest("token is missing"))?;
    let found = match described(&app, &token).await? {
        Some(description) => description,
        None => json!({ "active": false }),
    };
    Ok((tokens::no_store(HeaderMap::new()), Json(found)).into_response())
}

/// The client that the credentials prove; every client is compared, so that time tells nothing.
pub(super) fn client(app: &AppState, headers: &HeaderMap) -> Option<String> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = text.split_once(' ')?;
    let credentials = STANDARD.decode(credentials.trim()).ok()?;
    let credentials = String::from_utf8(credentials).ok()?;
    let (id, secret) = credentials.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let digest = |text: &str| -> [u8; 32] { Sha256::digest(text).into() };
    let presented = (digest(id), digest(secret));
    let clients = app.settings.clients.iter();
    let known = clients.fold(false, |known, (id, secret)| {
        let same = presented.0.ct_eq(&digest(id)) & presented.1.ct_eq(&digest(secret.expose()));
        known | bool::from(same)
    });
    known.then(|| id.to_owned())
}

async fn described(app: &AppState, token: &Secret) -> Result<Option<Value>, ApiError> {
    let now = app.clock.now();
    if let Ok(token) = RefreshToken::parse(token.expose(), &app.pepper) {
        let found = living(app, token.sid).await?;
        return Ok(found.filter(|(row, _)| row.digest == token.digest()).map(|(row, user)| {
            let ends = row.idle_expires_at.into_iter().chain(row.absolute_expires_at).min();
            json!({
                "active": true, "sub": user.id, "username": user.username,
                "client_id": row.client_id, "sid": row.sid.to_string(),
                "iat": seconds(token.issued_at), "exp": ends.map(seconds),
            })
        }));
    }
    let Ok(claims) = app.issuer.verify(token.expose(), now) else { return Ok(None) };
    let Some(sid) = SessionId::parse(&claims.sid) else { return Ok(None) };
    match admission::standing(app, &claims, now).await {
        Ok(_) if admission::is_too_old(&app.settings.policy, &claims, now) => return Ok(None),
        Ok(_) => {}
        Err(ApiError::InvalidToken(_)) => return Ok(None),
        Err(error) => return Err(error),
    }
    Ok(living(app, sid).await?.map(|(_, user)| {
        json!({
            "active": true, "token_type": "Bearer", "sub": claims.sub, "username": user.username,
            "client_id": claims.client_id, "sid": claims.sid, "iss": claims.iss,
            "aud": claims.aud, "iat": claims.iat, "exp": claims.exp, "jti": claims.jti,
        })
    }))
}

async fn living(app: &AppState, sid: SessionId) -> Result<Option<(Row, User)>, ApiError> {
    let max_login_age = app.settings.rules().max_login_age;
    let now = app.clock.now();
    Ok(app.store.session(sid).await?.filter(|(row, user)| {
        let over = row.expiry(now, max_login_age).is_some();
        row.status == Status::Active && !over && !user.disabled
    }))
}
