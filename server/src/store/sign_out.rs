//! The end of a session, with all that follows from it, as one step.

use super::{MarkKind, StoreError, Tables, TokenMark, User, steps};
use crate::rotation::{Millis, Revocation, SessionFamily, SessionId, Status};

/// What a token that proves a session asks for.
#[derive(Clone, Debug)]
pub struct SignOut {
    /// The session.
    pub sid: SessionId,
    /// All other sessions of the user are meant too. Only a living session can say so: an old token
    /// says nothing about the newer ones.
    pub everywhere: bool,
    /// With the session the user's version goes up, which voids every other.
    pub raises_version: bool,
    /// The access tokens of the session are no longer admitted by name.
    pub forgets_allowed: bool,
    /// The access token that was presented, refused from now on.
    pub denied: Option<TokenMark>,
    /// The server's time.
    pub now: Millis,
    /// A sign-in older than this is worth nothing, in milliseconds.
    pub max_login_age: Option<Millis>,
}

/// What a sign-out came to.
#[derive(Clone, Debug, Default)]
pub struct SignedOut {
    /// The families that ended, as they are now.
    pub ended: Vec<SessionFamily>,
    /// The access tokens that are no longer admitted.
    pub forgotten: Vec<TokenMark>,
}

pub(crate) fn sign_out(
    tables: &mut impl Tables,
    sign_out: &SignOut,
) -> Result<SignedOut, StoreError> {
    let SignOut { sid, everywhere, raises_version, now, .. } = sign_out;
    let mut done = SignedOut::default();
    if let Some(note) = &sign_out.denied {
        steps::note(tables, note.clone(), *now)?;
    }
    if sign_out.forgets_allowed {
        done.forgotten = tables.take_marks(MarkKind::Allowed, *sid)?;
    }
    let Some(row) = tables.row(*sid)?.filter(|row| row.status == Status::Active) else {
        return Ok(done);
    };

    let living = row.expiry(*now, sign_out.max_login_age).is_none();
    let user_id = row.user_id.clone();
    done.ended.push(steps::revoke(tables, row, Revocation::Logout)?);
    if living
        && *raises_version
        && let Some(user) = tables.user(&user_id)?
    {
        tables.put_user(User { version: user.version.wrapping_add(1), ..user })?;
    }
    if living && (*everywhere || *raises_version) {
        let why = if *everywhere { Revocation::Logout } else { Revocation::Version };
        done.ended.extend(steps::end_all(tables, &user_id, None, why)?);
    }
    Ok(done)
}
