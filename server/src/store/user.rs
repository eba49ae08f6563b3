use serde::{Deserialize, Serialize};

use crate::rotation::{Millis, UserStatus};
use crate::secret::Secret;

/// A person who can sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// What tokens call them; never changes.
    pub id: String,
    /// What they sign in as.
    pub username: String,
    /// Argon2id, in PHC text form.
    pub password: Secret,
    /// Sessions opened under an earlier version are void.
    pub version: u32,
    /// Locked out by an administrator.
    pub disabled: bool,
    /// Has to sign in again before the next refresh.
    pub reauth: bool,
    /// What they are called.
    pub name: String,
    /// Their telephone number.
    pub phone: Option<String>,
    /// Whether they manage others.
    pub is_manager: bool,
    /// Since when they are known.
    pub created_at: Millis,
}

impl User {
    pub(crate) fn standing(&self) -> UserStatus {
        UserStatus { disabled: self.disabled, reauth: self.reauth, version: self.version }
    }
}

/// What to change of a user; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Has to sign in again.
    pub reauth: Option<bool>,
    /// Locked out.
    pub disabled: Option<bool>,
    /// Manages others.
    pub is_manager: Option<bool>,
    /// A new version, which voids all sessions of another.
    pub version: Option<u32>,
    /// The next version.
    #[serde(default)]
    pub bump_version: bool,
    /// A new name.
    pub name: Option<String>,
    /// A new telephone number, or none.
    #[serde(default, deserialize_with = "present")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Option<String>>,
    /// A new password, hashed.
    #[serde(skip)]
    pub password: Option<Secret>,
}

impl Change {
    pub(crate) fn apply(self, user: &mut User) {
        set(&mut user.reauth, self.reauth);
        set(&mut user.disabled, self.disabled);
        set(&mut user.is_manager, self.is_manager);
        set(&mut user.version, self.version);
        set(&mut user.name, self.name);
        set(&mut user.phone, self.phone);
        set(&mut user.password, self.password);
        if self.bump_version {
            user.version = user.version.wrapping_add(1);
        }
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

/// Tells `null`, which clears a field, from a field that is absent.
pub(crate) fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}
