//! Renewal in passing: a successful answer brings the newer token along.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use http::header::SET_COOKIE;

use crate::due::{Due, Renewal};
use crate::error::ApiError;
use crate::extract::CookieJar;
use crate::policy::{Policy, Renew};
use crate::rotation::{SessionId, Status};
use crate::routes::issue;
use crate::state::AppState;
use crate::token_status;

/// Adds to successful answers what [`crate::AccessToken`] found to be due under policies that renew
/// by header or cookie. [`crate::app`] has it; lay it around handlers of your own.
pub async fn renewing(State(app): State<AppState>, mut request: Request, next: Next) -> Response {
    if !matches!(app.settings.policy.renew, Renew::Header | Renew::Cookie) {
        return next.run(request).await;
    }
    let due = Due::default();
    request.extensions_mut().insert(due.clone());
    let mut response = next.run(request).await;
    if let Some(renewal) = due.take().filter(|_| response.status().is_success()) {
        match renewed(&app, renewal).await {
            Ok(Some((name, value))) => {
                response.headers_mut().insert(name, value);
            }
            Ok(None) => {}
            // The request itself was a success; the next one tries again.
            Err(error) => tracing::warn!(?error, "no newer token could be sent along"),
        }
    }
    response
}

async fn renewed(
    app: &AppState,
    renewal: Renewal,
) -> Result<Option<(http::HeaderName, HeaderValue)>, ApiError> {
    let now = app.clock.now();
    let sid = match &renewal {
        Renewal::Header(claims) => SessionId::parse(&claims.sid),
        Renewal::Cookie(token) => Some(token.sid),
    };
    // The request may just have ended the session, or changed what tokens say.
    let found = match sid {
        Some(sid) => app.store.session(sid).await?,
        None => None,
    };
    let Some((row, user)) = found.filter(|(row, _)| row.status == Status::Active) else {
        return Ok(None);
    };
    match renewal {
        Renewal::Header(claims) => {
            let life = app.settings.policy.renewed_life();
            let (token, _) = issue::access(app, &row, &user, now, life, None).await?;
            token_status::deny(app, &claims, now).await?;
            let mut value = HeaderValue::try_from(token).map_err(|_| ApiError::Internal)?;
            value.set_sensitive(true);
            Ok(Some((http::HeaderName::from_static(Policy::HEADER), value)))
        }
        Renewal::Cookie(token) => {
            let token = token.redated(now).encode(&app.pepper);
            let left = issue::cookie_life(&row, now);
            let cookie = CookieJar::of(&app.settings).set(&token, left);
            Ok(Some((SET_COOKIE, cookie.ok_or(ApiError::Internal)?)))
        }
    }
}
