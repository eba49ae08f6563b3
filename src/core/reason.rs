//! Why: every refresh and every end carries one of these.

use serde::{Serialize, Serializer};

/// Why a refresh was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefreshReason {
    /// The lead time before expiry was reached.
    Scheduled,
    /// A request got 401 with the current token.
    Unauthorized,
    /// A caller needed a token and none was good enough.
    Demanded,
    /// The application asked for it.
    Explicit,
    /// The page woke, came back online, or its user came back, and a refresh was overdue.
    Wake,
    /// The page was loaded and the stored token was no longer good, or there was only a cookie.
    Restore,
}

impl Serialize for RefreshReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl RefreshReason {
    /// The reason as callers see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Unauthorized => "unauthorized",
            Self::Demanded => "demanded",
            Self::Explicit => "explicit",
            Self::Wake => "wake",
            Self::Restore => "restore",
        }
    }
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndReason {
    /// There was none to restore.
    None,
    /// `cancel()` in this tab.
    Cancelled,
    /// `signOut()` in some tab.
    SignedOut,
    /// No user input in any tab for too long.
    Idle,
    /// The absolute limit was reached.
    MaxAge,
    /// The server refused the refresh for good.
    Revoked,
    /// The server saw an old refresh token come back.
    Reuse,
    /// The server wants a fresh login, or the token ran out and nothing can renew it.
    LoginRequired,
    /// Somebody else signed in.
    SubjectChanged,
    /// `start()` was given a token that cannot be used.
    InvalidToken,
    /// The stored record could not be read.
    CorruptStorage,
}

impl Serialize for EndReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl EndReason {
    const ALL: [Self; 11] = [
        Self::None,
        Self::Cancelled,
        Self::SignedOut,
        Self::Idle,
        Self::MaxAge,
        Self::Revoked,
        Self::Reuse,
        Self::LoginRequired,
        Self::SubjectChanged,
        Self::InvalidToken,
        Self::CorruptStorage,
    ];

    /// The reason as callers see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Cancelled => "cancelled",
            Self::SignedOut => "signed-out",
            Self::Idle => "idle",
            Self::MaxAge => "max-age",
            Self::Revoked => "revoked",
            Self::Reuse => "reuse",
            Self::LoginRequired => "login-required",
            Self::SubjectChanged => "subject-changed",
            Self::InvalidToken => "invalid-token",
            Self::CorruptStorage => "corrupt-storage",
        }
    }

    /// The reason at a place in the order of declaration; `None` for any other number.
    pub(crate) fn from_number(place: i64) -> Self {
        Self::ALL.get(place as usize).copied().unwrap_or(Self::None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_place() {
        for (place, reason) in EndReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, place);
            assert_eq!(EndReason::from_number(place as i64), reason);
        }
        assert_eq!(EndReason::from_number(-1), EndReason::None);
    }
}
