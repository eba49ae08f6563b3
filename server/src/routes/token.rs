use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;

use super::issue::{self, Carrier};
use crate::error::ApiError;
use crate::extract::{Client, Form, bearer, refuse, rotation_key};
use crate::limits::Limited;
use crate::rotation::{
    Attempt, NotAuthentic, RefreshToken, Refusal, RotationKey, SessionId, Transition,
};
use crate::secret::{Secret, random};
use crate::state::AppState;
use crate::store::Outcome;
use crate::token_status;

pub(super) async fn token(
    State(app): State<AppState>,
    client: Client,
    headers: HeaderMap,
    mut form: Form,
) -> Result<Response, ApiError> {
    match form.take("grant_type") {
        None => return Err(ApiError::InvalidRequest("grant_type is missing")),
        Some(grant) if grant.expose() != "refresh_token" => {
            return Err(ApiError::UnsupportedGrantType);
        }
        Some(_) => {}
    }
    if form.take("scope").is_some() {
        return Err(ApiError::InvalidScope);
    }
    let presented = form.take("refresh_token");
    let presented = presented.ok_or(ApiError::InvalidRequest("refresh_token is missing"))?;
    let field = form.take("rotation_key");
    let key = rotation_key(&headers, field.as_ref().map(Secret::expose))?;
    let client_id = form.take("client_id").map(|id| id.expose().to_owned());

    let presented = Presented { token: presented, carrier: Carrier::Body, key, client_id };
    refresh(&app, client, &headers, presented).await
}

/// A refresh token, and what came with it.
pub(super) struct Presented {
    pub(super) token: Secret,
    /// The successor goes back the way the token came.
    pub(super) carrier: Carrier,
    pub(super) key: Option<RotationKey>,
    pub(super) client_id: Option<String>,
}

/// One refresh.
pub(super) async fn refresh(
    app: &AppState,
    client: Client,
    headers: &HeaderMap,
    presented: Presented,
) -> Result<Response, ApiError> {
    let carrier = presented.carrier;
    let outcome = decided(app, client, headers, presented).await?;
    issue::refreshed(app, outcome, carrier).await
}

/// Garbage is dropped before the store hears of it.
async fn decided(
    app: &AppState,
    client: Client,
    headers: &HeaderMap,
    Presented { token, carrier, key, client_id }: Presented,
) -> Result<Outcome, ApiError> {
    let token = match RefreshToken::parse(token.expose(), &app.pepper) {
        Ok(token) => token,
        Err(why) => {
            if why == NotAuthentic::Forged {
                app.limits.take(Limited::Forgery(client.party()), app.clock.now())?;
            }
            return Ok(Outcome::refuse(Transition::NotAuthentic, Refusal::Malformed));
        }
    };
    app.limits.take(Limited::Refresh(token.sid), app.clock.now())?;
    if app.settings.policy.access_at_refresh {
        accompanied(app, headers, token.sid)?;
    }
    token_status::same_agent(app, token.sid, headers, app.clock.now()).await?;
    let attempt = Attempt {
        token,
        key: key.map(|key| key.digest()),
        in_cookie: carrier == Carrier::Cookie,
        client_id,
        now: app.clock.now(),
        salt: random()?,
    };
    Ok(app.store.refresh(attempt).await?)
}

/// The access token of the session has to come along. It may have expired, for that is why the
/// client comes, but it must be ours.
fn accompanied(app: &AppState, headers: &HeaderMap, sid: SessionId) -> Result<(), ApiError> {
    let token = bearer(headers)?.ok_or(ApiError::MissingToken)?;
    let claims = app.issuer.authenticate(token, app.clock.now()).map_err(|flaw| refuse(&flaw))?;
    if SessionId::parse(&claims.sid) == Some(sid) {
        Ok(())
    } else {
        Err(ApiError::InvalidToken("the access token is of another session"))
    }
}
