//! How rows and users are written down.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::rotation::{Millis, SessionFamily};
use crate::store::{StoreError, User};

/// A user with the hash of the password, which [`User`] itself never gives away.
#[derive(Serialize, Deserialize)]
pub(super) struct UserRecord {
    id: String,
    username: String,
    password: String,
    version: u32,
    disabled: bool,
    reauth: bool,
    name: String,
    phone: Option<String>,
    is_manager: bool,
    created_at: Millis,
}

impl From<&User> for UserRecord {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.clone(),
            username: user.username.clone(),
            password: user.password.expose().to_owned(),
            version: user.version,
            disabled: user.disabled,
            reauth: user.reauth,
            name: user.name.clone(),
            phone: user.phone.clone(),
            is_manager: user.is_manager,
            created_at: user.created_at,
        }
    }
}

impl From<UserRecord> for User {
    fn from(record: UserRecord) -> Self {
        Self {
            id: record.id,
            username: record.username,
            password: record.password.into(),
            version: record.version,
            disabled: record.disabled,
            reauth: record.reauth,
            name: record.name,
            phone: record.phone,
            is_manager: record.is_manager,
            created_at: record.created_at,
        }
    }
}

pub(super) fn write(record: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(record).map_err(|_| StoreError::Corrupt("a record cannot be written"))
}

pub(super) fn read<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt(what))
}

/// When a family ends, whatever happens before.
pub(super) fn end(row: &SessionFamily) -> Option<Millis> {
    row.idle_expires_at.into_iter().chain(row.absolute_expires_at).min()
}

/// How long Redis keeps a row, in milliseconds, from now on.
///
/// It is counted from the row's last use, because the limits themselves are judged by the clock of
/// the server: Redis only clears away what no sweep came for.
pub(super) fn life(row: &SessionFamily) -> Option<Millis> {
    Some(kept(end(row)?.saturating_sub(row.last_used_at)))
}

/// A little longer than what is left, within what Redis takes.
pub(super) fn kept(left: Millis) -> Millis {
    left.saturating_add(KEPT).min(LONGEST)
}

/// A day longer than the sweep leaves rows, so that a late token still hears why.
const KEPT: Millis = 2 * 86_400_000;

/// A hundred years; Redis refuses what overflows.
const LONGEST: Millis = 100 * 366 * 86_400_000;
