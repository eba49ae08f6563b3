//! What observers are told, each only when something changed.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{
    clock::Millis,
    error::Error,
    reason::{EndReason, RefreshReason},
};

/// One event, emitted after the machine has come to rest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A session began here: by `start`, `restore`, or a sign-in in another tab.
    Started,
    /// A newer token is in use, whichever tab got it. No reason: another tab or a header did.
    Refreshed {
        /// Why this tab refreshed.
        reason: Option<RefreshReason>,
    },
    /// A refresh attempt failed, or was held back.
    RefreshFailed {
        /// What failed.
        error: Error,
        /// Why it was tried.
        reason: FailureReason,
        /// When it is tried again, wall clock; absent when it never is.
        retry_at: Option<Millis>,
    },
    /// The access token is gone and the server has not said no.
    Stale,
    /// The session is about to end.
    Warning {
        /// `Idle` or `MaxAge`.
        reason: EndReason,
        /// When it ends, wall clock.
        ends_at: Millis,
    },
    /// User input came before the end.
    Extended,
    /// The session is over.
    SignedOut {
        /// Why.
        reason: EndReason,
    },
    /// The token's claims differ from the last token's, times and `jti` apart.
    ClaimsChanged,
    /// The next token belongs to somebody else; `SignedOut` follows.
    SubjectChanged,
    /// The local clock is off against the server's.
    ClockSkew {
        /// Server minus local, milliseconds.
        skew: Millis,
    },
    /// Storage cannot be used; the session lives in memory.
    StorageDegraded,
    /// The server could not be told that the session is over; it is tried again.
    RevokeFailed {
        /// When it is tried again, wall clock.
        retry_at: Millis,
    },
}

/// Why an attempt that failed had been made, or what held it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureReason {
    /// The attempt was made for this reason.
    Attempt(RefreshReason),
    /// Ten refreshes in thirty seconds: none but explicit ones until the window is free.
    Breaker,
}

impl Serialize for FailureReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Event {
    /// The kind as `type`, and the fields but `error`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (reason, at) = match *self {
            Self::Started
            | Self::Stale
            | Self::Extended
            | Self::ClaimsChanged
            | Self::SubjectChanged
            | Self::StorageDegraded => (None, None),
            Self::Refreshed { reason } => (Some(reason.map(RefreshReason::as_str)), None),
            Self::RefreshFailed { reason, retry_at, .. } => {
                (Some(Some(reason.as_str())), Some(("retryAt", retry_at)))
            }
            Self::Warning { reason, ends_at } => {
                (Some(Some(reason.as_str())), Some(("endsAt", Some(ends_at))))
            }
            Self::SignedOut { reason } => (Some(Some(reason.as_str())), None),
            Self::ClockSkew { skew } => (None, Some(("skew", Some(skew)))),
            Self::RevokeFailed { retry_at } => (None, Some(("retryAt", Some(retry_at)))),
        };
        let fields = 1 + usize::from(reason.is_some()) + usize::from(at.is_some());
        let mut event = serializer.serialize_struct("Event", fields)?;
        event.serialize_field("type", self.kind())?;
        if let Some(reason) = reason {
            event.serialize_field("reason", &reason)?;
        }
        if let Some((name, at)) = at {
            event.serialize_field(name, &at.map(|at| at as f64))?;
        }
        event.end()
    }
}

impl FailureReason {
    /// The reason as callers see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attempt(reason) => reason.as_str(),
            Self::Breaker => "breaker",
        }
    }
}

impl Event {
    /// The event's type as callers subscribe to it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Refreshed { .. } => "refreshed",
            Self::RefreshFailed { .. } => "refresh-failed",
            Self::Stale => "stale",
            Self::Warning { .. } => "warning",
            Self::Extended => "extended",
            Self::SignedOut { .. } => "signed-out",
            Self::ClaimsChanged => "claims-changed",
            Self::SubjectChanged => "subject-changed",
            Self::ClockSkew { .. } => "clock-skew",
            Self::StorageDegraded => "storage-degraded",
            Self::RevokeFailed { .. } => "revoke-failed",
        }
    }
}
