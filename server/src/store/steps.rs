//! The steps that every store performs, written once.

use super::{
    Change, MarkKind, RotationContext, SessionSelector, StoreError, Tables, TokenMark, User,
};
use crate::rotation::{
    self, Attempt, Decision, Grant, Millis, RefreshToken, Refusal, Revocation, SessionFamily,
    SessionId, Status, Transition,
};

/// What a refresh came to, and for whom.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The rule that fitted.
    pub transition: Transition,
    /// What the client gets.
    pub answer: Result<Renewed, Refusal>,
    /// The family as it is now, if there is one.
    pub family: Option<SessionFamily>,
    /// The families that this refresh has ended, as they are now.
    pub ended: Vec<SessionFamily>,
}

impl Outcome {
    /// No change, no token, and no session ends.
    #[must_use]
    pub fn refuse(transition: Transition, refusal: Refusal) -> Self {
        Self { transition, answer: Err(refusal), family: None, ended: Vec::new() }
    }
}

/// A granted refresh with what a new access token is made from.
#[derive(Clone, Debug)]
pub struct Renewed {
    /// The refresh token to use next.
    pub token: RefreshToken,
    /// This is the answer to an earlier refresh, given again.
    pub replayed: bool,
    /// The family as it is now.
    pub row: SessionFamily,
    /// The user as they are now.
    pub user: User,
}

pub(crate) fn refresh(
    tables: &mut impl Tables,
    attempt: &Attempt,
    terms: &RotationContext,
) -> Result<Outcome, StoreError> {
    let Some(row) = tables.row(attempt.token.sid)? else {
        return Ok(Outcome::refuse(Transition::UnknownOrEnded, Refusal::Unknown));
    };
    let Some(user) = tables.user(&row.user_id)? else {
        return Ok(Outcome::refuse(Transition::UnknownOrEnded, Refusal::Unknown));
    };
    let Decision { transition, answer, row: changed } =
        rotation::decide(&row, attempt, user.standing(), &terms.rules, &terms.pepper);
    if let Some(row) = &changed {
        tables.put_row(row.clone())?;
    }

    let mut ended = Vec::new();
    let row = changed.unwrap_or(row);
    if transition == Transition::Reused && terms.rules.reuse_ends_all {
        ended = end_all(tables, &row.user_id, None, Revocation::Reuse)?;
    }
    if matches!(transition, Transition::Expired | Transition::UserRevoked | Transition::Reused) {
        ended.insert(0, row.clone());
    }
    let family = Some(row.clone());
    let answer = answer.map(|Grant { token, replayed }| Renewed { token, replayed, row, user });
    Ok(Outcome { transition, answer, family, ended })
}

pub(crate) fn open(tables: &mut impl Tables, mut row: SessionFamily) -> Result<(), StoreError> {
    if let Some(mut user) = tables.user(&row.user_id)? {
        row.user_version = user.version;
        if user.reauth {
            user.reauth = false;
            tables.put_user(user)?;
        }
    }
    tables.put_row(row)
}

pub(crate) fn session(
    tables: &mut impl Tables,
    sid: SessionId,
) -> Result<Option<(SessionFamily, User)>, StoreError> {
    let Some(row) = tables.row(sid)? else { return Ok(None) };
    let user = tables.user(&row.user_id)?;
    Ok(user.map(|user| (row, user)))
}

pub(crate) fn end(
    tables: &mut impl Tables,
    whose: &SessionSelector,
    why: Revocation,
) -> Result<Vec<SessionFamily>, StoreError> {
    let (sid, owner) = match whose {
        SessionSelector::Session(sid) => (sid, None),
        SessionSelector::SessionOf(user, sid) => (sid, Some(user)),
        SessionSelector::User(user, spared) => return end_all(tables, user, *spared, why),
    };
    let row = tables.row(*sid)?.filter(|row| owner.is_none_or(|owner| row.user_id == *owner));
    let active = row.into_iter().filter(|row| row.status == Status::Active);
    active.map(|row| revoke(tables, row, why)).collect()
}

/// Ends all active families of a user but, perhaps, one; answers with those that it ended.
pub(super) fn end_all(
    tables: &mut impl Tables,
    user_id: &str,
    spared: Option<SessionId>,
    why: Revocation,
) -> Result<Vec<SessionFamily>, StoreError> {
    let mut rows = tables.rows(Some(user_id))?;
    rows.retain(|row| row.status == Status::Active && Some(row.sid) != spared);
    rows.into_iter().map(|row| revoke(tables, row, why)).collect()
}

pub(super) fn revoke(
    tables: &mut impl Tables,
    row: SessionFamily,
    why: Revocation,
) -> Result<SessionFamily, StoreError> {
    let row = SessionFamily { status: Status::Revoked(why), ..row };
    tables.put_row(row.clone())?;
    Ok(row)
}

pub(crate) fn mark_seen(
    tables: &mut impl Tables,
    sid: SessionId,
    generation: u32,
) -> Result<(), StoreError> {
    match tables.row(sid)? {
        Some(row) if row.generation == generation && !row.seen => {
            tables.put_row(SessionFamily { seen: true, ..row })
        }
        _ => Ok(()),
    }
}

pub(crate) fn touch(
    tables: &mut impl Tables,
    sid: SessionId,
    now: Millis,
    idle: Option<Millis>,
) -> Result<(), StoreError> {
    match tables.row(sid)? {
        Some(row) if row.status == Status::Active => tables.put_row(row.used(now, idle)),
        _ => Ok(()),
    }
}

pub(crate) fn note(
    tables: &mut impl Tables,
    note: TokenMark,
    now: Millis,
) -> Result<(), StoreError> {
    tables.drop_marks(now)?;
    tables.put_mark(note)
}

pub(crate) fn noted(
    tables: &mut impl Tables,
    kind: MarkKind,
    key: &str,
    now: Millis,
) -> Result<Option<TokenMark>, StoreError> {
    Ok(tables.find_mark(kind, key)?.filter(|note| note.until > now))
}

pub(crate) fn add_user(tables: &mut impl Tables, user: User) -> Result<bool, StoreError> {
    if tables.user_named(&user.username)?.is_some() {
        return Ok(false);
    }
    tables.put_user(user)?;
    Ok(true)
}

pub(crate) fn change_user(
    tables: &mut impl Tables,
    id: &str,
    change: Change,
) -> Result<Option<User>, StoreError> {
    let Some(mut user) = tables.user(id)? else { return Ok(None) };
    change.apply(&mut user);
    tables.put_user(user.clone())?;
    Ok(Some(user))
}
