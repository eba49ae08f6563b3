use axum::extract::{FromRef, FromRequestParts};
use http::header::{COOKIE, HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use crate::config::Settings;
use crate::error::ApiError;
use crate::secret::Secret;
use crate::state::AppState;

/// The cookie that holds the refresh token: how it is called, read, set and cleared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CookieJar {
    plain: bool,
}

impl CookieJar {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self { plain: settings.plain_loopback() }
    }

    /// `__Host-` lets only this very host set it, and only over TLS. Browsers on the same machine
    /// reach us without TLS, where a `Secure` cookie would be lost.
    pub(crate) fn name(self) -> &'static str {
        if self.plain { "everfresh" } else { "__Host-everfresh" }
    }

    /// The refresh token in a request; two of the name are none.
    pub(crate) fn read(self, headers: &HeaderMap) -> Option<Secret> {
        let lines = headers.get_all(COOKIE).iter().map(|line| line.as_bytes());
        // Bytes, because what other cookies hold is none of our business, and need not be ASCII.
        let pairs = lines.flat_map(|line| line.split(|byte| *byte == b';'));
        let mut named = pairs.filter_map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=')?;
            (pair[..at].trim_ascii() == self.name().as_bytes()).then(|| &pair[at + 1..])
        });
        let value = named.next()?;
        let text = str::from_utf8(value.trim_ascii()).ok()?;
        named.next().is_none().then(|| text.into())
    }

    /// Sets it for so many seconds.
    pub(crate) fn set(self, token: &str, seconds: u64) -> Option<HeaderValue> {
        let secure = if self.plain { "" } else { " Secure;" };
        let name = self.name();
        let text =
            format!("{name}={token}; Path=/; Max-Age={seconds};{secure} HttpOnly; SameSite=Strict");
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Removes it.
    pub(crate) fn clear(self) -> Option<HeaderValue> {
        self.set("", 0)
    }
}

/// A request that no foreign page could have sent: it carries a header that needs the server's
/// consent, and comes from no origin but our own and the allowed ones.
pub(crate) struct TrustedOrigin;

impl<S: Send + Sync> FromRequestParts<S> for TrustedOrigin
where
    AppState: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let app = AppState::from_ref(state);
        trust(&app.settings, &parts.headers).map(|()| Self)
    }
}

/// Refuses what a foreign page can have sent.
pub(crate) fn trust(settings: &Settings, headers: &HeaderMap) -> Result<(), ApiError> {
    if let Some(origin) = foreign_origin(settings, headers) {
        return Err(ApiError::ForeignOrigin(allowable(origin)));
    }
    match headers.get("x-everfresh") {
        Some(value) if value == "1" => Ok(()),
        _ => Err(ApiError::Csrf),
    }
}

/// The origin of the page that sent a request, if it is neither our own nor allowed.
pub(crate) fn foreign_origin<'a>(
    settings: &Settings,
    headers: &'a HeaderMap,
) -> Option<&'a HeaderValue> {
    let allowed = |origin: &HeaderValue| settings.allow_origin.contains(origin);
    headers.get(ORIGIN).filter(|origin| {
        !allowed(origin) && !own(origin, headers) && !is_issuers(origin, &settings.issuer)
    })
}

/// An origin that could be allowed, for a message; of any other nothing is repeated.
pub(crate) fn allowable(origin: &HeaderValue) -> Option<String> {
    let text = origin.to_str().ok()?;
    let (scheme, host) = text.split_once("://")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":.-_[]".contains(&byte);
    let web = matches!(scheme, "http" | "https") && !host.is_empty() && host.bytes().all(plain);
    (web && text.len() <= LONGEST_ORIGIN).then(|| text.to_owned())
}

fn own(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let host = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    match (host, headers.get(HOST)) {
        (Some((_, origin)), Some(host)) => origin.as_bytes() == host.as_bytes(),
        _ => false,
    }
}

/// Proxies need not hand on the `Host` that clients see; the issuer tells it as well.
fn is_issuers(origin: &HeaderValue, issuer: &str) -> bool {
    let path = issuer.match_indices('/').nth(2).map_or(issuer.len(), |(at, _)| at);
    origin.as_bytes() == &issuer.as_bytes()[..path]
}

/// In bytes; a host name has 253 at most.
const LONGEST_ORIGIN: usize = 300;
