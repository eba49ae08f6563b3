use crate::rotation::{Millis, SessionId};

/// Something that has to be known about a token or a session for a while, and then no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it says.
    pub kind: NoteKind,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoteKind {
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

impl NoteKind {
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
