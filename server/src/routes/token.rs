use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use http::HeaderMap;

use super::tokens::{self, Carrier};
use crate::error::ApiError;
use crate::extract::{Form, bearer, refuse, rotation_key};
use crate::ledger;
use crate::limits::Limited;
use crate::policy::OnReuse;
use crate::rotation::{
    Attempt, RefreshToken, Refusal, Revocation, RotationKey, SessionId, Transition,
};
use crate::secret::{Secret, random};
use crate::serve::Peer;
use crate::state::AppState;
use crate::store::{Outcome, Whose};

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/oauth/token", post(token))
}

async fn token(
    State(app): State<AppState>,
    peer: Option<Extension<Peer>>,
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
    let client = form.take("client_id").map(|client| client.expose().to_owned());

    let outcome = refresh(&app, peer, &headers, &presented, key, client).await?;
    tokens::refreshed(&app, outcome, Carrier::Body).await
}

/// One refresh; garbage is dropped before the store hears of it.
pub(super) async fn refresh(
    app: &AppState,
    peer: Option<Extension<Peer>>,
    headers: &HeaderMap,
    presented: &Secret,
    key: Option<RotationKey>,
    client_id: Option<String>,
) -> Result<Outcome, ApiError> {
    let Ok(token) = RefreshToken::parse(presented.expose(), &app.pepper) else {
        let address = peer.map(|Extension(Peer(address))| address.ip());
        app.limits.take(Limited::Failure(address), app.clock.now())?;
        return Ok(Outcome::refuse(Transition::T0, Refusal::Malformed));
    };
    app.limits.take(Limited::Refresh(token.sid), app.clock.now())?;
    let (policy, sid) = (&app.settings.policy, token.sid);
    if policy.access_at_refresh {
        accompanied(app, headers, sid)?;
    }
    ledger::same_agent(app, sid, headers, app.clock.now()).await?;
    let key = key.map(|key| key.digest());
    let attempt = Attempt { token, key, client_id, now: app.clock.now(), salt: random()? };
    let outcome = app.store.refresh(attempt).await?;
    if outcome.transition == Transition::T9
        && policy.on_reuse == OnReuse::RevokeUser
        && let Some((row, _)) = app.store.session(sid).await?
    {
        app.store.end(Whose::User(row.user_id, None), Revocation::Reuse).await?;
    }
    Ok(outcome)
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
