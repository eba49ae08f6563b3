//! What begins with a password: a session, or another password. Between the moment in which the
//! password was verified and the step, it may have been changed; so the step looks again.

use super::{StoreError, Tables, TokenMark, User, steps};
use crate::rotation::{Revocation, SessionFamily, SessionId};
use crate::secret::Secret;

/// A sign-in whose password was verified.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The family to begin; it gets the version that the user then has.
    pub row: SessionFamily,
    /// What was stored when the password was verified.
    pub verified: Secret,
    /// All older sessions of the user are void from now on.
    pub voids_others: bool,
    /// What has to be known about the session besides.
    pub note: Option<TokenMark>,
}

/// A sign-in that was carried out.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The family.
    pub row: SessionFamily,
    /// The user as they are now.
    pub user: User,
    /// The families that ended for it, as they are now.
    pub ended: Vec<SessionFamily>,
}

/// A change of the password whose old one was verified.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    /// Whose.
    pub user_id: String,
    /// What was stored when the old password was verified.
    pub verified: Secret,
    /// The new password, hashed.
    pub password: Secret,
    /// The one session that goes on, if any does.
    pub spared: Option<SessionId>,
}

pub(crate) fn sign_in(
    tables: &mut impl Tables,
    sign_in: &SignIn,
) -> Result<Option<SignedIn>, StoreError> {
    let SignIn { row, verified, voids_others, note } = sign_in;
    let Some(mut user) = still(tables, &row.user_id, verified)? else { return Ok(None) };
    let mut ended = Vec::new();
    if *voids_others {
        user.version = user.version.wrapping_add(1);
        ended = steps::end_all(tables, &user.id, None, Revocation::Version)?;
    }
    user.reauth = false;
    // Written even if it is the same, so that a change of the password at this moment cannot have
    // missed this session: of two steps that write one record the later one sees the other.
    tables.put_user(user.clone())?;
    let row = SessionFamily { user_version: user.version, ..row.clone() };
    tables.put_row(row.clone())?;
    if let Some(note) = note {
        steps::note(tables, note.clone(), row.created_at)?;
    }
    Ok(Some(SignedIn { row, user, ended }))
}

/// Answers with the families that ended for it.
pub(crate) fn change_password(
    tables: &mut impl Tables,
    change: &PasswordChange,
) -> Result<Option<Vec<SessionFamily>>, StoreError> {
    let PasswordChange { user_id, verified, password, spared } = change;
    let Some(user) = still(tables, user_id, verified)? else { return Ok(None) };
    tables.put_user(User { password: password.clone(), ..user })?;
    steps::end_all(tables, user_id, *spared, Revocation::Password).map(Some)
}

/// The user, if they may still come in with what was verified.
fn still(
    tables: &mut impl Tables,
    user_id: &str,
    verified: &Secret,
) -> Result<Option<User>, StoreError> {
    let user = tables.user(user_id)?;
    Ok(user.filter(|user| user.password == *verified && !user.disabled))
}
