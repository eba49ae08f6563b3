//! Errors: a stable code, whose fault it is, and a text with cause and remedy.

use core::fmt;

/// A failure that a caller sees. Holds static text only, so that it can never carry a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Error {
    /// What went wrong, for programs.
    pub code: Code,
    /// Cause and remedy, for people.
    pub message: &'static str,
}

impl Error {
    pub(crate) const fn new(code: Code, message: &'static str) -> Self {
        Self { code, message }
    }

    pub(crate) const NOT_SIGNED_IN: Self = Self::new(
        Code::NotSignedIn,
        "nobody is signed in: call start() after login, or await restore() on page load",
    );
    pub(crate) const UNAVAILABLE: Self = Self::new(
        Code::RefreshUnavailable,
        "no valid token could be had in time and the server has not said no: the network or the \
         token endpoint is down; the session is kept and refreshing goes on, try again later",
    );
    pub(crate) const TIMEOUT: Self = Self::new(
        Code::RefreshTimeout,
        "the token endpoint did not answer within timeoutSeconds; the session is kept and the \
         refresh is repeated with the same rotation key",
    );
    pub(crate) const REJECTED: Self = Self::new(
        Code::RefreshRejected,
        "the token endpoint refused the refresh request itself: check the endpoint's url, style \
         and clientId; the session has ended, sign in again",
    );
    pub(crate) const BAD_RESPONSE: Self = Self::new(
        Code::BadRefreshResponse,
        "the token endpoint answered without a usable access token: check that it returns JSON \
         with access_token and exp or expires_in; the session is kept and the refresh repeated",
    );
    pub(crate) const SIGNED_OUT_BY_SERVER: Self = Self::new(
        Code::SignedOutByServer,
        "the server ended the session; snapshot().reason says why; sign in again",
    );
    pub(crate) const DISPOSED: Self =
        Self::new(Code::Disposed, "this session was disposed: call createSession() for a new one");
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl core::error::Error for Error {}

/// Stable names of the failures that the machine reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The access token cannot be used at all.
    InvalidToken,
    /// Neither an `exp` claim nor `expiresIn` says how long the access token lives.
    NoExpiry,
    /// There is no session to act on.
    NotSignedIn,
    /// No valid token within the wait bound, for a passing cause.
    RefreshUnavailable,
    /// One refresh attempt got no answer in time.
    RefreshTimeout,
    /// The endpoint refused the request for good with a status other than a session verdict.
    RefreshRejected,
    /// The endpoint answered success without a usable token.
    BadRefreshResponse,
    /// The server ended the session.
    SignedOutByServer,
    /// The handle was disposed.
    Disposed,
}

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The program that calls Everfresh.
    Caller,
    /// The token endpoint.
    Server,
    /// The way to it.
    Network,
}

impl Code {
    /// The code as callers compare it, `ERR_...`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidToken => "ERR_INVALID_TOKEN",
            Self::NoExpiry => "ERR_NO_EXPIRY",
            Self::NotSignedIn => "ERR_NOT_SIGNED_IN",
            Self::RefreshUnavailable => "ERR_REFRESH_UNAVAILABLE",
            Self::RefreshTimeout => "ERR_REFRESH_TIMEOUT",
            Self::RefreshRejected => "ERR_REFRESH_REJECTED",
            Self::BadRefreshResponse => "ERR_BAD_REFRESH_RESPONSE",
            Self::SignedOutByServer => "ERR_SIGNED_OUT_BY_SERVER",
            Self::Disposed => "ERR_DISPOSED",
        }
    }

    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::InvalidToken | Self::NoExpiry | Self::NotSignedIn | Self::Disposed => {
                Fault::Caller
            }
            Self::RefreshUnavailable | Self::RefreshTimeout => Fault::Network,
            Self::RefreshRejected | Self::BadRefreshResponse | Self::SignedOutByServer => {
                Fault::Server
            }
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn retryable(self) -> bool {
        matches!(self, Self::RefreshUnavailable | Self::RefreshTimeout | Self::BadRefreshResponse)
    }
}
