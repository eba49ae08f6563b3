//! What the session looks like from outside.

use serde::{Serialize, Serializer};

use super::{
    clock::{Millis, as_number},
    error::Error,
    reason::EndReason,
    record::Generation,
};

/// How it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Status {
    /// Before `start` or `restore`.
    #[default]
    Unknown,
    /// Signed in.
    Active,
    /// Signed in, but without a valid token; the server has not said no.
    Stale,
    /// Signed in, and about to end.
    Warning,
    /// Signed out.
    SignedOut,
}

impl Status {
    /// The status as callers see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Active => "active",
            Self::Stale => "stale",
            Self::Warning => "warning",
            Self::SignedOut => "signed-out",
        }
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A picture of the session; times are wall-clock milliseconds, and serialized as JavaScript has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Snapshot {
    /// How it stands.
    pub status: Status,
    /// Why it is over; absent while it is not.
    pub reason: Option<EndReason>,
    /// The `sub` claim.
    pub subject: Option<String>,
    /// Grows with every token set, over all tabs; 0 without a session.
    #[serde(serialize_with = "as_number")]
    pub generation: Generation,
    /// When the access token runs out.
    #[serde(serialize_with = "as_number")]
    pub expires_at: Option<Millis>,
    /// When it is refreshed.
    #[serde(serialize_with = "as_number")]
    pub refresh_at: Option<Millis>,
    /// When the user counts as idle.
    #[serde(serialize_with = "as_number")]
    pub idle_at: Option<Millis>,
    /// When the session ends if nothing happens.
    #[serde(serialize_with = "as_number")]
    pub ends_at: Option<Millis>,
    /// Whole seconds to the end, during a warning only.
    pub seconds_left: Option<u32>,
    /// The last failure since the last success.
    #[serde(skip)]
    pub last_error: Option<Error>,
}

impl Snapshot {
    /// Whether a user is signed in: active, stale or about to end.
    #[must_use]
    pub const fn is_signed_in(&self) -> bool {
        matches!(self.status, Status::Active | Status::Stale | Status::Warning)
    }
}
