//! Errors: a stable code, whose fault it is, and a text with cause and remedy.

use core::fmt;

/// A failure that a caller sees. Its texts are static, so that it can never carry a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// A token is empty or holds characters that no token has (RFC 6749 appendix A.12).
    Unprintable,
    /// The access token is a broken JWT, for this cause.
    Malformed(Malformed),
    /// `nbf` is not before `exp` (RFC 7519 section 4.1.5).
    NeverValid,
    /// Neither `exp` nor `expiresIn` says how long the access token lives.
    NoExpiry,
    /// There is no session to act on.
    NotSignedIn,
    /// No valid token within the wait bound, for a passing cause.
    Unavailable,
    /// One refresh attempt got no answer in time.
    Timeout,
    /// The endpoint refused the request for good with a status other than a session verdict.
    Rejected,
    /// The endpoint answered success without a usable token.
    BadResponse,
    /// The server ended the session.
    SignedOutByServer,
    /// The handle was disposed.
    Disposed,
}

/// What is wrong with a JWT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Malformed {
    /// Longer than 1 MiB.
    TooLong,
    /// Not three segments.
    Segments,
    /// A segment is not unpadded base64url (RFC 7515 section 2).
    Base64url,
    /// A segment is not UTF-8.
    Utf8,
    /// A segment is not a JSON object.
    Json,
    /// The same member twice (RFC 7519 section 4).
    Duplicate,
    /// A registered claim has the wrong type.
    ClaimType,
}

impl Error {
    /// What went wrong, for programs.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Unprintable | Self::Malformed(_) | Self::NeverValid => Code::InvalidToken,
            Self::NoExpiry => Code::NoExpiry,
            Self::NotSignedIn => Code::NotSignedIn,
            Self::Unavailable => Code::RefreshUnavailable,
            Self::Timeout => Code::RefreshTimeout,
            Self::Rejected => Code::RefreshRejected,
            Self::BadResponse => Code::BadRefreshResponse,
            Self::SignedOutByServer => Code::SignedOutByServer,
            Self::Disposed => Code::Disposed,
        }
    }

    /// Cause and remedy, for people.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Unprintable => {
                "a token is empty or not printable ASCII: pass the server's token response \
                 unchanged"
            }
            Self::Malformed(malformed) => malformed.message(),
            Self::NeverValid => "the token's nbf is not before its exp: it is never valid",
            Self::NoExpiry => {
                "nothing says how long the access token lives: pass expiresIn (seconds) beside a \
                 token without an exp claim"
            }
            Self::NotSignedIn => "nobody is signed in: call start() or await restore() first",
            Self::Unavailable => {
                "no valid token in time, and the server has not said no: the network or the token \
                 endpoint is down; the session is kept, try again later"
            }
            Self::Timeout => {
                "the token endpoint did not answer within timeoutSeconds; the session is kept, the \
                 refresh is repeated"
            }
            Self::Rejected => {
                "the token endpoint refused the request itself: check url, style and clientId; the \
                 session has ended, sign in again"
            }
            Self::BadResponse => {
                "the token endpoint answered without a usable token: it must return JSON with \
                 access_token and exp or expires_in; the session is kept, the refresh is repeated"
            }
            Self::SignedOutByServer => {
                "the server ended the session: snapshot.reason says why; sign in again"
            }
            Self::Disposed => "this session was disposed: createSession() makes a new one",
        }
    }
}

impl Malformed {
    const fn message(self) -> &'static str {
        match self {
            Self::TooLong => "the token is longer than 1 MiB",
            Self::Segments => "a JWT has three segments separated by dots",
            Self::Base64url => "a segment of the JWT is not base64url without padding",
            Self::Utf8 => "a segment of the JWT is not UTF-8",
            Self::Json => "a segment of the JWT is not a JSON object",
            Self::Duplicate => "the JWT has the same member twice",
            Self::ClaimType => "a registered claim of the JWT has the wrong type",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
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
