//! Errors: what went wrong, and the stable code that callers compare.

use core::fmt;

/// A failure that a caller sees. It never carries a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// The JWT is longer than 1 MiB.
    TooLong,
    /// The JWT has not three segments.
    Segments,
    /// A segment of the JWT is not base64.
    Base64url,
    /// A segment of the JWT is not UTF-8.
    Utf8,
    /// A segment of the JWT is not a JSON object.
    Json,
    /// The access token is missing or holds characters that no token has.
    AccessToken,
    /// The refresh token holds characters that no token has.
    RefreshToken,
    /// `token_type` is not bearer.
    TokenType,
    /// `expires_in` is no number.
    ExpiresIn,
    /// `refresh_in` is no number.
    RefreshIn,
    /// `session_expires_in` is no number.
    SessionExpiresIn,
    /// `nbf` is not before `exp` (RFC 7519 section 4.1.5).
    NeverValid,
    /// Nothing says how long the access token lives, and nothing could heal the 401 that tells.
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

impl Error {
    /// The code as callers compare it, `ERR_...`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong
            | Self::Segments
            | Self::Base64url
            | Self::Utf8
            | Self::Json
            | Self::AccessToken
            | Self::RefreshToken
            | Self::TokenType
            | Self::ExpiresIn
            | Self::RefreshIn
            | Self::SessionExpiresIn
            | Self::NeverValid => "ERR_INVALID_TOKEN",
            Self::NoExpiry => "ERR_NO_EXPIRY",
            Self::NotSignedIn => "ERR_NOT_SIGNED_IN",
            Self::Unavailable => "ERR_REFRESH_UNAVAILABLE",
            Self::Timeout => "ERR_REFRESH_TIMEOUT",
            Self::Rejected => "ERR_REFRESH_REJECTED",
            Self::BadResponse => "ERR_BAD_REFRESH_RESPONSE",
            Self::SignedOutByServer => "ERR_SIGNED_OUT_BY_SERVER",
            Self::Disposed => "ERR_DISPOSED",
        }
    }

    /// Cause and remedy in words.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::TooLong => "the token is longer than 1 MiB: pass it as the server sent it",
            Self::Segments => {
                "a JWT has three segments with dots between: pass it as the server sent it"
            }
            Self::Base64url => "a segment of the JWT is not base64: pass it as the server sent it",
            Self::Utf8 => "a segment of the JWT is not UTF-8: pass it as the server sent it",
            Self::Json => {
                "a segment of the JWT is not a JSON object: pass it as the server sent it"
            }
            Self::AccessToken => {
                "access_token is missing or not one text without spaces, quotes and control \
                 characters: pass it as the server sent it"
            }
            Self::RefreshToken => {
                "refresh_token is not one text without spaces, quotes and control characters: pass \
                 it as the server sent it"
            }
            Self::TokenType => "token_type is not bearer: ask the server for bearer tokens",
            Self::ExpiresIn => "expires_in is no number: pass seconds",
            Self::RefreshIn => "refresh_in is no number: pass seconds",
            Self::SessionExpiresIn => "session_expires_in is no number: pass seconds",
            Self::NeverValid => "nbf of the JWT is not before its exp: correct the server",
            Self::NoExpiry => {
                "nothing says how long the token lives, and no refresh token could heal a 401: pass \
                 expiresIn (seconds) or refreshToken beside it"
            }
            Self::NotSignedIn => {
                "nobody is signed in: call start() or await restore() first; snapshot.reason says \
                 why a session ended"
            }
            Self::Unavailable => {
                "no valid token in time: no network, no refresh token, or token endpoint down; the \
                 session is kept, try again later"
            }
            Self::Timeout => {
                "the token endpoint did not answer within timeoutSeconds; the session is kept, the \
                 refresh is repeated"
            }
            Self::Rejected => {
                "the token endpoint refused the request: check url, style and clientId; the \
                 session has ended, sign in again"
            }
            Self::BadResponse => {
                "the token endpoint answered without a usable token: it must return JSON with \
                 access_token; the session is kept, the refresh is repeated"
            }
            Self::SignedOutByServer => {
                "the server ended the session: snapshot.reason says why; sign in again"
            }
            Self::Disposed => "this session was disposed: call createSession() again",
        }
    }

    /// Whether a refresh led to it, so that what the refresh failed of is its cause.
    #[must_use]
    pub const fn comes_of_a_refresh(self) -> bool {
        matches!(
            self,
            Self::Unavailable
                | Self::Timeout
                | Self::Rejected
                | Self::BadResponse
                | Self::SignedOutByServer
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.message())
    }
}

impl core::error::Error for Error {}
