use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{KeyDigest, Millis, RefreshToken, SessionId, bytes};

/// All that the server keeps of one session family; its size does not grow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionFamily {
    /// The family.
    pub sid: SessionId,
    /// Whose it is.
    pub user_id: String,
    /// The client that it is bound to.
    pub client_id: String,
    /// What the user calls the device.
    pub device_name: Option<String>,
    /// Alive, or how it ended.
    pub status: Status,
    /// The newest generation.
    pub generation: u32,
    /// Digest of the newest token's secret.
    #[serde(with = "bytes")]
    pub digest: [u8; 32],
    /// The token before it, and what is needed to derive the newest one from it again.
    pub parent: Option<Parent>,
    /// The last rotations, newest last.
    pub ring: Vec<RingEntry>,
    /// Late replays of the last rotation.
    pub replays: u32,
    /// The family once rotated with a key; since then a parent without one is not believed.
    pub keyed: bool,
    /// The access token of the newest generation has been used.
    pub seen: bool,
    /// When the user proved who they are.
    pub auth_time: Millis,
    /// When the family began.
    pub created_at: Millis,
    /// When it last rotated.
    pub last_used_at: Millis,
    /// It ends here unless it is used before.
    pub idle_expires_at: Option<Millis>,
    /// It ends here whatever happens.
    pub absolute_expires_at: Option<Millis>,
    /// The user's version at sign-in.
    pub user_version: u32,
}

impl SessionFamily {
    /// How many rotations are remembered, so that a late duplicate is told from a theft.
    pub const RING: usize = 8;

    /// A family at its first token, without limits.
    #[must_use]
    pub fn opened(token: &RefreshToken, user_id: String, client_id: String) -> Self {
        let now = token.issued_at;
        Self {
            sid: token.sid,
            user_id,
            client_id,
            device_name: None,
            status: Status::Active,
            generation: token.generation,
            digest: token.digest(),
            parent: None,
            ring: Vec::new(),
            replays: 0,
            keyed: false,
            seen: false,
            auth_time: now,
            created_at: now,
            last_used_at: now,
            idle_expires_at: None,
            absolute_expires_at: None,
            user_version: 0,
        }
    }

    /// The first limit that has been reached.
    #[must_use]
    pub fn expiry(&self, now: Millis, max_login_age: Option<Millis>) -> Option<Expiry> {
        let reached = |at: Option<Millis>| at.is_some_and(|at| now >= at);
        if reached(self.absolute_expires_at) {
            Some(Expiry::Absolute)
        } else if reached(self.idle_expires_at) {
            Some(Expiry::Idle)
        } else if reached(max_login_age.map(|age| self.auth_time.saturating_add(age))) {
            Some(Expiry::LoginAge)
        } else {
            None
        }
    }

    /// The family after a use: its idle end has moved, but not past its absolute one.
    #[must_use]
    pub fn used(self, now: Millis, idle: Option<Millis>) -> Self {
        let idle = idle.map(|idle| now.saturating_add(idle));
        let idle_expires_at = match (idle, self.absolute_expires_at) {
            (Some(idle), Some(absolute)) => Some(idle.min(absolute)),
            (idle, _) => idle,
        };
        Self { last_used_at: now, idle_expires_at, ..self }
    }

    /// Whether an access token of an older generation shows that two parties use the family.
    ///
    /// It does if the newer one is in use already and was asked for long before this one would
    /// have run out: whoever still holds this one did not ask. The last fifth of its life, at
    /// least a minute, is when a client refreshes ahead of time; and requests under way when the
    /// newer one was made have `grace` to arrive.
    #[must_use]
    pub fn is_rivalled(&self, old: u32, life: Range<Millis>, now: Millis, grace: Millis) -> bool {
        if old >= self.generation || !self.seen {
            return false;
        }
        let lead = 60_000.max((life.end - life.start.min(life.end)) / 5);
        self.rotation_of(old).is_none_or(|rotation| {
            let early = rotation.rotated_at < life.end.saturating_sub(lead);
            early && now > rotation.rotated_at.saturating_add(grace)
        })
    }

    pub(super) fn rotation_of(&self, generation: u32) -> Option<&RingEntry> {
        self.ring.iter().rev().find(|entry| entry.generation == generation)
    }
}

/// The generation before the newest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Digest of its secret.
    #[serde(with = "bytes")]
    pub digest: [u8; 32],
    /// Random salt of its rotation.
    #[serde(with = "bytes")]
    pub salt: [u8; 32],
}

/// One past rotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingEntry {
    /// The generation that was traded in.
    pub generation: u32,
    /// The rotation key that came with it.
    pub key: Option<KeyDigest>,
    /// When.
    pub rotated_at: Millis,
}

impl RingEntry {
    /// Whether this is the rotation that the key was made for.
    pub(super) fn has(&self, key: Option<KeyDigest>) -> bool {
        key.is_some() && key == self.key
    }
}

/// Whether a family lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It can be refreshed.
    Active,
    /// Someone ended it.
    Revoked(Revocation),
    /// Its time ran out.
    Expired(Expiry),
}

impl Status {
    /// How it ended, if it did.
    #[must_use]
    pub fn ended(self) -> Option<Ended> {
        match self {
            Self::Active => None,
            Self::Revoked(why) => Some(Ended::Revoked(why)),
            Self::Expired(why) => Some(Ended::Expired(why)),
        }
    }
}

/// The end of a family; there is no way back from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Someone ended it.
    Revoked(Revocation),
    /// Its time ran out.
    Expired(Expiry),
}

/// Who ended a family, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Revocation {
    /// The user signed out.
    Logout,
    /// Two parties held one token.
    Reuse,
    /// An administrator disabled the user.
    Admin,
    /// The user removed the device.
    Device,
    /// The password changed.
    Password,
    /// The user has to sign in again.
    Reauth,
    /// All older sessions of the user were declared void.
    Version,
}

/// Which time ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiry {
    /// Too long without a refresh.
    Idle,
    /// The longest life of a session.
    Absolute,
    /// The last sign-in is too long ago.
    LoginAge,
}
