//! Who may come in: access tokens and session cookies, judged as the policy demands.

use http::request::Parts;
use http::{HeaderMap, Method};

use crate::due::{Due, Renewal};
use crate::error::ApiError;
use crate::extract::{CookieJar, bearer, refuse, trust};
use crate::jwt::{Claims, Flaw, seconds};
use crate::policy::{Policy, Renew, Revoked};
use crate::rotation::{
    Millis, Profile, RefreshToken, Revocation, SessionFamily, SessionId, Status,
};
use crate::state::AppState;
use crate::store::{SessionSelector, User};
use crate::token_status;

/// Who is calling.
#[derive(Clone, Debug)]
pub struct Session {
    /// What the token says.
    pub claims: Claims,
    /// The family, as it is now.
    pub row: SessionFamily,
    /// The user, as they are now.
    pub user: User,
}

/// How good an access token has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Good for a request.
    Usable,
    /// Perhaps too old for that, but good for a renewal.
    Renewable,
}

/// The session behind a request, if the request carries anything that could prove one.
pub(crate) async fn admit(
    app: &AppState,
    parts: &Parts,
    ripeness: Freshness,
) -> Result<Option<Session>, ApiError> {
    let due = parts.extensions.get::<Due>();
    if let Some(token) = bearer(&parts.headers)? {
        let session = by_token(app, token, &parts.headers, due, ripeness).await;
        return session.map(Some).map_err(|error| told_apart(&app.settings.policy, error));
    }
    let jar = CookieJar::of(&app.settings);
    match jar.read(&parts.headers).filter(|_| app.settings.policy.cookie_session) {
        Some(token) => {
            let harmless = [Method::GET, Method::HEAD].contains(&parts.method);
            if !harmless {
                trust(&app.settings, &parts.headers)?;
            }
            by_cookie(app, token.expose(), &parts.headers, due).await.map(Some)
        }
        None => Ok(None),
    }
}

/// What an access token is worth beside its signature and its times.
pub(crate) async fn standing(
    app: &AppState,
    claims: &Claims,
    now: Millis,
) -> Result<(SessionFamily, User), ApiError> {
    let sid = SessionId::parse(&claims.sid).ok_or_else(|| refuse(&Flaw::Claims))?;
    let (row, user) = living(app, sid, now).await?;
    if user.id != claims.sub {
        return Err(ENDED);
    }
    match token_status::objection(app, claims, &user, now).await? {
        Some(why) => Err(ApiError::InvalidToken(why)),
        None => Ok((row, user)),
    }
}

/// Whether an access token can only be renewed any more.
pub(crate) fn is_too_old(policy: &Policy, claims: &Claims, now: Millis) -> bool {
    policy.soft_ttl.is_some_and(|soft| seconds(now) >= claims.iat.saturating_add(soft))
}

async fn by_token(
    app: &AppState,
    token: &str,
    headers: &HeaderMap,
    due: Option<&Due>,
    ripeness: Freshness,
) -> Result<Session, ApiError> {
    let (policy, now) = (&app.settings.policy, app.clock.now());
    // Served late only where the answer can bring the newer token.
    let claims = if policy.late_renewal && due.is_some() {
        app.issuer.authenticate(token, now)
    } else {
        app.issuer.verify(token, now)
    };
    let claims = claims.map_err(|flaw| refuse(&flaw))?;
    let (row, user) = standing(app, &claims, now).await?;
    token_status::same_agent(app, row.sid, headers, now).await?;
    rivalry(app, &claims, &row, now).await?;
    if ripeness == Freshness::Usable && is_too_old(policy, &claims, now) {
        return Err(ApiError::SoftExpired);
    }
    seen(app, &claims, &row).await?;

    let row = used(app, row, now).await?;
    let (began, ends) = (claims.iat.saturating_mul(1_000), claims.exp.saturating_mul(1_000));
    let session = Session { claims, row, user };
    if let Some(due) = due
        && policy.renew == Renew::Header
        && policy.is_due(began, ends, now)
    {
        due.set(Renewal::Header(session.claims.clone()));
    }
    Ok(session)
}

async fn by_cookie(
    app: &AppState,
    token: &str,
    headers: &HeaderMap,
    due: Option<&Due>,
) -> Result<Session, ApiError> {
    let (policy, now) = (&app.settings.policy, app.clock.now());
    let token = RefreshToken::parse(token, &app.pepper).map_err(|_| NO_COOKIE)?;
    let (row, user) = living(app, token.sid, now).await?;
    let voided = policy.revocation == Revoked::Version && row.user_version != user.version;
    if row.digest != token.digest() || row.expiry(now, None).is_some() || voided {
        return Err(ENDED);
    }
    token_status::same_agent(app, row.sid, headers, now).await?;
    let (began, life) = (token.issued_at, policy.access_ttl.saturating_mul(1_000));
    let ends = began.saturating_add(life);
    let rolls = policy.renew == Renew::Cookie;
    if rolls && now >= ends && due.is_none() {
        return Err(NO_COOKIE);
    }

    let row = used(app, row, now).await?;
    if let Some(due) = due.filter(|_| rolls && policy.is_due(began, ends, now)) {
        due.set(Renewal::Cookie(token));
    }
    let until = row.idle_expires_at.into_iter().chain(row.absolute_expires_at).min();
    let exp = seconds(until.unwrap_or(ends));
    let claims = Claims { iat: seconds(began), ..token_status::claims(app, &row, &user, now, exp) };
    Ok(Session { claims, row, user })
}

/// A session that is not over, and its user, who is not locked out.
async fn living(
    app: &AppState,
    sid: SessionId,
    now: Millis,
) -> Result<(SessionFamily, User), ApiError> {
    let policy = &app.settings.policy;
    let (row, user) = app.store.session(sid).await?.ok_or(ENDED)?;
    // Where only refreshes count as use, an access token outlives a session that went idle.
    let over = if policy.use_counts || policy.late_renewal {
        row.expiry(now, None).is_some()
    } else {
        row.absolute_expires_at.is_some_and(|at| now >= at)
    };
    if row.status != Status::Active || over || user.disabled { Err(ENDED) } else { Ok((row, user)) }
}

/// Ends a session in which two access tokens are used side by side, where the policy forbids it.
async fn rivalry(
    app: &AppState,
    claims: &Claims,
    row: &SessionFamily,
    now: Millis,
) -> Result<(), ApiError> {
    let Some(generation) = claims.generation.filter(|_| app.settings.policy.one_access) else {
        return Ok(());
    };
    let life = claims.iat.saturating_mul(1_000)..claims.exp.saturating_mul(1_000);
    if row.is_rivalled(generation, life, now, app.settings.rules().grace) {
        app.store.end(SessionSelector::Session(row.sid), Revocation::Reuse).await?;
        tracing::warn!(sid = %row.sid, "two access tokens of one session were in use");
        return Err(ENDED);
    }
    Ok(())
}

/// Notes the first use of the newest access token, where that means something.
async fn seen(app: &AppState, claims: &Claims, row: &SessionFamily) -> Result<(), ApiError> {
    let wanted = app.settings.profile != Profile::Keyed || app.settings.policy.one_access;
    match claims.generation {
        Some(generation) if wanted && generation == row.generation && !row.seen => {
            Ok(app.store.mark_seen(row.sid, generation).await?)
        }
        _ => Ok(()),
    }
}

/// Moves the idle end of a session, where requests do that. Once a second is enough.
async fn used(app: &AppState, row: SessionFamily, now: Millis) -> Result<SessionFamily, ApiError> {
    let policy = &app.settings.policy;
    if !policy.use_counts || now < row.last_used_at.saturating_add(1_000) {
        return Ok(row);
    }
    let idle = app.settings.rules().idle;
    app.store.touch(row.sid, now, idle).await?;
    Ok(row.used(now, idle))
}

/// Where an old token may still be renewable, the others say that they are not.
fn told_apart(policy: &Policy, error: ApiError) -> ApiError {
    match error {
        ApiError::InvalidToken(why) if policy.soft_ttl.is_some() => ApiError::HardExpired(why),
        error => error,
    }
}

const ENDED: ApiError = ApiError::InvalidToken("the session has ended");
const NO_COOKIE: ApiError = ApiError::InvalidToken("the session cookie is not good any more");
