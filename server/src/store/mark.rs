use serde::{Deserialize, Serialize};

use crate::rotation::{Millis, SessionId};

/// Something that has to be known about a token or a session for a while, and then no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenMark {
    /// What it says.
    pub kind: MarkKind,
    /// What it says it about; one note of a kind for each.
    pub key: String,
    /// The session that it belongs to.
    pub sid: SessionId,
    /// More, where the kind alone does not say it all.
    pub text: String,
    /// It is worth nothing from here on, and is dropped.
    pub until: Millis,
}

/// What a note says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// The access token of this `jti` is refused.
    Denied,
    /// The access token of this `jti` is admitted.
    Allowed,
    /// The newest access token of this user has the `jti` in the text.
    Latest,
    /// The session of this `sid` began in the browser whose digest is in the text.
    Agent,
    /// The access token of this `jti` was issued; the text has its claims.
    Issued,
}

impl MarkKind {
    pub(super) const ALL: [Self; 5] =
        [Self::Denied, Self::Allowed, Self::Latest, Self::Agent, Self::Issued];

    /// Its name in a store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Allowed => "allowed",
            Self::Latest => "latest",
            Self::Agent => "agent",
            Self::Issued => "issued",
        }
    }
}
