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
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
        let mut named = pairs.filter(|(name, _)| name.trim() == self.name());
        let (_, value) = named.next()?;
        named.next().is_none().then(|| value.trim().into())
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
        if is_trusted(&app.settings, &parts.headers) { Ok(Self) } else { Err(ApiError::Csrf) }
    }
}

/// Whether no foreign page can have sent it.
pub(crate) fn is_trusted(settings: &Settings, headers: &HeaderMap) -> bool {
    let marked = headers.get("x-everfresh").is_some_and(|value| value == "1");
    let near = |origin| settings.allow_origin.contains(origin) || own(origin, headers);
    marked && headers.get(ORIGIN).is_none_or(near)
}

fn own(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let host = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    match (host, headers.get(HOST)) {
        (Some((_, origin)), Some(host)) => origin.as_bytes() == host.as_bytes(),
        _ => false,
    }
}
