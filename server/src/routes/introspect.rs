use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::issue;
use crate::admission;
use crate::error::ApiError;
use crate::extract::{Client, Form};
use crate::jwt::seconds;
use crate::limits::Limited;
use crate::rotation::{RefreshToken, SessionFamily, SessionId, Status};
use crate::secret::Secret;
use crate::state::AppState;
use crate::store::User;

/// RFC 7662: tells a service of ours whether a token is good right now.
pub(super) async fn introspect(
    State(app): State<AppState>,
    client: Client,
    headers: HeaderMap,
    mut form: Form,
) -> Result<Response, ApiError> {
    admit(&app, client, &headers)?;
    let token = form.take("token").ok_or(ApiError::InvalidRequest("token is missing"))?;
    let found = match described(&app, &token).await? {
        Some(description) => description,
        None => json!({ "active": false }),
    };
    Ok((issue::no_store(HeaderMap::new()), Json(found)).into_response())
}

/// Admits a service by its id and secret, so often as its limits allow. A right secret costs nothing.
pub(super) fn admit(app: &AppState, client: Client, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some((id, secret)) = credentials(headers) else { return Err(ApiError::InvalidClient) };
    let now = app.clock.now();
    // All names that are not known share one bucket, so that invented ones fill no memory.
    let known = app.settings.clients.iter().any(|(known, _)| *known == id);
    let name = if known { id.clone() } else { String::new() };
    let guess = Limited::ClientSecret(client.party(), name);
    let right = is_known(app, &id, &secret);
    app.limits.take_unless(right, guess, now)?;
    if !right {
        return Err(ApiError::InvalidClient);
    }
    Ok(app.limits.take(Limited::Introspection(id), now)?)
}

/// HTTP Basic.
fn credentials(headers: &HeaderMap) -> Option<(String, Secret)> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = text.split_once(' ')?;
    let credentials = STANDARD.decode(credentials.trim()).ok()?;
    let credentials = String::from_utf8(credentials).ok()?;
    let (id, secret) = credentials.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| (id.to_owned(), secret.into()))
}

/// Every client is compared, so that time tells nothing.
fn is_known(app: &AppState, id: &str, secret: &Secret) -> bool {
    let digest = |text: &str| -> [u8; 32] { Sha256::digest(text).into() };
    let presented = (digest(id), digest(secret.expose()));
    app.settings.clients.iter().fold(false, |known, (id, secret)| {
        let same = presented.0.ct_eq(&digest(id)) & presented.1.ct_eq(&digest(secret.expose()));
        known | bool::from(same)
    })
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

async fn living(app: &AppState, sid: SessionId) -> Result<Option<(SessionFamily, User)>, ApiError> {
    let max_login_age = app.settings.rules().max_login_age;
    let now = app.clock.now();
    Ok(app.store.session(sid).await?.filter(|(row, user)| {
        let over = row.expiry(now, max_login_age).is_some();
        row.status == Status::Active && !over && !user.disabled
    }))
}
