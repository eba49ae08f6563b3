//! Errors: what went wrong, and the stable code that callers compare.

use core::fmt;

/// A failure that a caller sees; its number crosses the border to JavaScript, where
/// pkg/src/failures.ts has the cause and the remedy in words. It never carries a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// The JWT is longer than 1 MiB.
    TooLong = 1,
    /// The JWT has not three segments.
    Segments,
    /// A segment of the JWT is not unpadded base64url (RFC 7515 section 2).
    Base64url,
    /// A segment of the JWT is not UTF-8.
    Utf8,
    /// A segment of the JWT is not a JSON object.
    Json,
    /// A registered claim of the JWT has the wrong type.
    ClaimType,
    /// A token is empty or holds characters that no token has (RFC 6749 appendix A.12).
    Unprintable,
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
    /// The JWT has the same member twice (RFC 7519 section 4). Browsers take the last one.
    Duplicate,
}

impl Error {
    /// The flaw of a JWT as pkg/src/decode.ts numbers it, 1 to 6.
    #[must_use]
    pub const fn flaw(number: u32) -> Self {
        match number {
            1 => Self::TooLong,
            2 => Self::Segments,
            3 => Self::Base64url,
            4 => Self::Utf8,
            5 => Self::Json,
            _ => Self::ClaimType,
        }
    }

    /// The code as callers compare it, `ERR_...`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong
            | Self::Segments
            | Self::Base64url
            | Self::Utf8
            | Self::Json
            | Self::ClaimType
            | Self::Duplicate
            | Self::Unprintable
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
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self:?}", self.code())
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    /// What JavaScript may hear of.
    const ALL: [Error; 16] = [
        Error::TooLong,
        Error::Segments,
        Error::Base64url,
        Error::Utf8,
        Error::Json,
        Error::ClaimType,
        Error::Unprintable,
        Error::NeverValid,
        Error::NoExpiry,
        Error::NotSignedIn,
        Error::Unavailable,
        Error::Timeout,
        Error::Rejected,
        Error::BadResponse,
        Error::SignedOutByServer,
        Error::Disposed,
    ];

    /// As `NoExpiryError` is the class of `ERR_NO_EXPIRY`.
    fn class(code: &str) -> String {
        let words = code.split('_').skip(1);
        let words = words.map(|word| word[..1].to_owned() + &word[1..].to_lowercase());
        words.chain(["Error".to_owned()]).collect()
    }

    #[test]
    fn javascript_counts_the_failures_alike() {
        let table = include_str!("../../pkg/src/failures.ts");
        let rows: Vec<_> = table.lines().filter_map(|line| line.strip_prefix("  [")).collect();
        assert_eq!(rows.len(), ALL.len());
        for (at, (error, row)) in ALL.iter().zip(rows).enumerate() {
            assert_eq!(*error as usize, at + 1);
            assert_eq!(row.split(',').next(), Some(class(error.code()).as_str()), "{error:?}");
        }
    }

    #[test]
    fn flaws_have_the_number_of_their_error() {
        for number in 1..=6 {
            assert_eq!(Error::flaw(number) as u32, number);
        }
    }
}
