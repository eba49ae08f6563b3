//! What an access token says of itself, once it has been read.

/// The claims that the machine acts on.
#[derive(Clone, PartialEq)]
pub struct Jwt {
    /// `exp`, seconds since the epoch, fractions allowed (RFC 7519 section 2, `NumericDate`).
    pub exp: Option<f64>,
    /// `iat`.
    pub iat: Option<f64>,
    /// `nbf`.
    pub nbf: Option<f64>,
    /// `session_expiry`: the server's absolute limit of the session.
    pub session_expiry: Option<f64>,
    /// `sub`; what is no text there as digits that differ where it differs.
    pub subject: Option<String>,
    /// Changes when any claim but `exp`, `iat`, `nbf` and `jti` does. 1 without such claims.
    pub fingerprint: i64,
    /// One of its times was in milliseconds.
    pub in_millis: bool,
}

impl core::fmt::Debug for Jwt {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Jwt(..)")
    }
}
