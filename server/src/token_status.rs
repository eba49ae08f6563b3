//! What the server writes down about access tokens, for the policies that want it to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::USER_AGENT;
use sha2::{Digest, Sha256};

use crate::error::ApiError;
use crate::jwt::{Claims, Seconds, seconds};
use crate::policy::Revoked;
use crate::rotation::{Millis, Profile, SessionFamily, SessionId};
use crate::state::AppState;
use crate::store::{MarkKind, SignOut, TokenMark, User};

/// What an access token for a session would say, under the session's name.
pub(crate) fn claims(
    app: &AppState,
    row: &SessionFamily,
    user: &User,
    now: Millis,
    exp: Seconds,
) -> Claims {
    let policy = &app.settings.policy;
    let counted = app.settings.profile != Profile::Keyed || policy.one_access;
    Claims {
        iss: app.issuer.issuer.clone(),
        sub: user.id.clone(),
        aud: app.issuer.audience.clone(),
        client_id: row.client_id.clone(),
        iat: seconds(now),
        exp,
        jti: row.sid.to_string(),
        sid: row.sid.to_string(),
        auth_time: seconds(row.auth_time),
        session_expiry: row.absolute_expires_at.map(seconds),
        generation: counted.then_some(row.generation),
        ver: (policy.revocation == Revoked::Version).then_some(user.version),
        profile: user.into(),
    }
}

/// An access token goes out.
pub(crate) async fn issued(
    app: &AppState,
    row: &SessionFamily,
    claims: &Claims,
    now: Millis,
) -> Result<(), ApiError> {
    let policy = &app.settings.policy;
    let note = |kind, key: &str, text: String, until| TokenMark {
        kind,
        key: key.to_owned(),
        sid: row.sid,
        text,
        until,
    };
    let noted = match policy.revocation {
        Revoked::NotAllowed => {
            Some(note(MarkKind::Allowed, &claims.jti, String::new(), end(app, claims)))
        }
        Revoked::LatestOnly => {
            Some(note(MarkKind::Latest, &claims.sub, claims.jti.clone(), end(app, claims)))
        }
        Revoked::Family | Revoked::Denied | Revoked::Version => None,
    };
    if let Some(note) = noted {
        app.store.note(note, now).await?;
    }
    if policy.issue_log {
        let Claims { jti, sub, sid, iat, exp, .. } = claims;
        let text =
            serde_json::json!({ "jti": jti, "sub": sub, "sid": sid, "iat": iat, "exp": exp });
        let until = now.saturating_add(LOG);
        app.store.note(note(MarkKind::Issued, jti, text.to_string(), until), now).await?;
    }
    Ok(())
}

/// Why an access token is void before its time, if it is.
pub(crate) async fn objection(
    app: &AppState,
    claims: &Claims,
    user: &User,
    now: Millis,
) -> Result<Option<&'static str>, ApiError> {
    let noted = |kind, key: &str| app.store.noted(kind, key.to_owned(), now);
    let (void, why) = match app.settings.policy.revocation {
        Revoked::Family => return Ok(None),
        Revoked::Version => {
            (claims.ver != Some(user.version), "the access token is of an older version")
        }
        Revoked::Denied => {
            let denied = noted(MarkKind::Denied, &claims.jti).await?.is_some();
            (denied, "the access token has been revoked")
        }
        Revoked::NotAllowed => {
            let allowed = noted(MarkKind::Allowed, &claims.jti).await?.is_some();
            (!allowed, "the access token has been revoked")
        }
        Revoked::LatestOnly => {
            let latest = noted(MarkKind::Latest, &claims.sub).await?;
            let newest = latest.is_some_and(|latest| latest.text == claims.jti);
            (!newest, "a newer access token of the user is out")
        }
    };
    Ok(void.then_some(why))
}

/// An access token has been replaced or handed back: it is refused from now on.
pub(crate) async fn deny(app: &AppState, claims: &Claims, now: Millis) -> Result<(), ApiError> {
    match denial(app, claims) {
        Some(note) => Ok(app.store.note(note, now).await?),
        None => Ok(()),
    }
}

fn denial(app: &AppState, claims: &Claims) -> Option<TokenMark> {
    let sid = SessionId::parse(&claims.sid)?;
    let (key, until) = (claims.jti.clone(), end(app, claims));
    let note = TokenMark { kind: MarkKind::Denied, key, sid, text: String::new(), until };
    (app.settings.policy.revocation == Revoked::Denied).then_some(note)
}

/// Ends sessions because their user said so; says how many.
pub(crate) async fn sign_out(
    app: &AppState,
    sid: SessionId,
    presented: Option<&Claims>,
    everywhere: bool,
) -> Result<usize, ApiError> {
    let revocation = app.settings.policy.revocation;
    let sign_out = SignOut {
        sid,
        everywhere,
        raises_version: revocation == Revoked::Version,
        forgets_allowed: revocation == Revoked::NotAllowed,
        denied: presented.and_then(|claims| denial(app, claims)),
        now: app.clock.now(),
        max_login_age: app.settings.rules().max_login_age,
    };
    Ok(app.store.sign_out(sign_out).await?.ended.len())
}

/// What is known of the browser in which a session begins, where the policy holds it to that.
pub(crate) fn agent_mark(
    app: &AppState,
    row: &SessionFamily,
    headers: &HeaderMap,
) -> Option<TokenMark> {
    let until = row.absolute_expires_at.unwrap_or(Millis::MAX);
    let (kind, key) = (MarkKind::Agent, row.sid.to_string());
    let note = TokenMark { kind, key, sid: row.sid, text: agent(headers), until };
    app.settings.policy.bind_agent.then_some(note)
}

/// Refuses another browser than the one that the session began in, where the policy is so strict.
pub(crate) async fn same_agent(
    app: &AppState,
    sid: SessionId,
    headers: &HeaderMap,
    now: Millis,
) -> Result<(), ApiError> {
    if !app.settings.policy.bind_agent {
        return Ok(());
    }
    let noted = app.store.noted(MarkKind::Agent, sid.to_string(), now).await?;
    if noted.is_some_and(|noted| noted.text == agent(headers)) {
        Ok(())
    } else {
        Err(ApiError::InvalidToken("the session belongs to another browser"))
    }
}

fn agent(headers: &HeaderMap) -> String {
    let text = headers.get(USER_AGENT).map_or(&b""[..], |value| value.as_bytes());
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

fn end(app: &AppState, claims: &Claims) -> Millis {
    claims.exp.saturating_add(app.issuer.leeway).saturating_mul(1_000)
}

/// The issue log is kept for 30 days.
const LOG: Millis = 30 * 86_400_000;
