//! What is called how in Redis.
//!
//! The braces are a hash tag: all keys are in one slot, so that one script may touch any of them.

use crate::rotation::SessionId;
use crate::store::MarkKind;

/// One family; the value is a stamp and JSON.
pub(super) fn session(sid: SessionId) -> String {
    format!("{SESSION}{sid}")
}

/// One user; the value is a stamp and JSON.
pub(super) fn user(id: &str) -> String {
    format!("{USER}{id}")
}

/// The id of the user of a name; the value is a stamp and JSON.
pub(super) fn name(username: &str) -> String {
    format!("{{everfresh}}:name:{username}")
}

/// The families of a user, a set of ids.
pub(super) fn sessions_of(user_id: &str) -> String {
    format!("{SESSIONS_OF}{user_id}")
}

/// One note; the value is a stamp and JSON.
pub(super) fn note(kind: MarkKind, key: &str) -> String {
    format!("{}{key}", notes_begin(kind))
}

/// What the keys of all notes of a kind begin with.
pub(super) fn notes_begin(kind: MarkKind) -> String {
    format!("{{everfresh}}:note:{}:", kind.name())
}

/// The notes of a session, a set of their keys.
pub(super) fn notes_of(kind: MarkKind, sid: SessionId) -> String {
    format!("{}{sid}", notes_of_begin(kind))
}

/// What the keys of all such sets begin with.
pub(super) fn notes_of_begin(kind: MarkKind) -> String {
    format!("{{everfresh}}:notes-of:{}:", kind.name())
}

/// All notes of a kind, by the time at which they expire.
pub(super) fn notes(kind: MarkKind) -> String {
    format!("{{everfresh}}:notes:{}", kind.name())
}

/// A record in an index by time, with the set that it is in besides; see `sweep.lua`.
pub(super) fn member(record: &str, set: &str) -> String {
    format!("{record}\0{set}")
}

/// The family that a member of either index names.
pub(super) fn sid(member: &str) -> Option<SessionId> {
    SessionId::parse(member.split('\0').next()?)
}

pub(super) const SESSION: &str = "{everfresh}:session:";
pub(super) const USER: &str = "{everfresh}:user:";
pub(super) const SESSIONS_OF: &str = "{everfresh}:sessions-of:";

/// All families, by the time at which they end.
pub(super) const SESSIONS: &str = "{everfresh}:sessions";

/// The audit log, by time, and the number of its last entry.
pub(super) const AUDIT: [&str; 2] = ["{everfresh}:audit", "{everfresh}:audit-number"];

/// The signing keys and the pepper, sealed if there is a seal.
pub(super) const KEYRING: &str = "{everfresh}:keyring";

/// What is written to see whether it can be.
pub(super) const PROBE: &str = "{everfresh}:probe";
