//! The steps that every store performs, written once.

use super::{Change, Note, NoteKind, StoreError, Tables, Terms, User, Whose};
use crate::rotation::{
    self, Attempt, Decision, Grant, Millis, RefreshToken, Refusal, Revocation, Row, SessionId,
    Status, Transition,
};

/// What a refresh came to, and for whom.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The rule that fitted.
    pub transition: Transition,
    /// What the client gets.
    pub answer: Result<Renewed, Refusal>,
}

impl Outcome {
    pub(crate) fn refuse(transition: Transition, refusal: Refusal) -> Self {
        Self { transition, answer: Err(refusal) }
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
    pub row: Row,
    /// The user as they are now.
    pub user: User,
}

pub(crate) fn refresh(
    tables: &mut impl Tables,
    attempt: &Attempt,
    terms: &Terms,
) -> Result<Outcome, StoreError> {
    let Some(row) = tables.row(attempt.token.sid)? else {
        return Ok(Outcome::refuse(Transition::T1, Refusal::Unknown));
    };
    let Some(user) = tables.user(&row.user_id)? else {
        return Ok(Outcome::refuse(Transition::T1, Refusal::Unknown));
    };
    let Decision { transition, answer, row: changed } =
        rotation::decide(&row, attempt, user.standing(), &terms.rules, &terms.pepper);
    if let Some(row) = &changed {
        tables.put_row(row.clone())?;
    }

    let row = changed.unwrap_or(row);
    let answer = answer.map(|Grant { token, replayed }| Renewed { token, replayed, row, user });
    Ok(Outcome { transition, answer })
}

pub(crate) fn open(tables: &mut impl Tables, mut row: Row) -> Result<(), StoreError> {
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
) -> Result<Option<(Row, User)>, StoreError> {
    let Some(row) = tables.row(sid)? else { return Ok(None) };
    let user = tables.user(&row.user_id)?;
    Ok(user.map(|user| (row, user)))
}

pub(crate) fn end(
    tables: &mut impl Tables,
    whose: &Whose,
    why: Revocation,
) -> Result<usize, StoreError> {
    let rows: Vec<Row> = match whose {
        Whose::Session(sid) => tables.row(*sid)?.into_iter().collect(),
        Whose::SessionOf(user, sid) => {
            tables.row(*sid)?.into_iter().filter(|row| row.user_id == *user).collect()
        }
        Whose::User(user, spared) => {
            let mut rows = tables.rows(Some(user))?;
            rows.retain(|row| Some(row.sid) != *spared);
            rows
        }
    };

    let mut ended = 0;
    for row in rows.into_iter().filter(|row| row.status == Status::Active) {
        tables.put_row(Row { status: Status::Revoked(why), ..row })?;
        ended += 1;
    }
    Ok(ended)
}

pub(crate) fn mark_seen(
    tables: &mut impl Tables,
    sid: SessionId,
    generation: u32,
) -> Result<(), StoreError> {
    match tables.row(sid)? {
        Some(row) if row.generation == generation && !row.seen => {
            tables.put_row(Row { seen: true, ..row })
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

pub(crate) fn note(tables: &mut impl Tables, note: Note, now: Millis) -> Result<(), StoreError> {
    tables.drop_notes(now)?;
    tables.put_note(note)
}

pub(crate) fn noted(
    tables: &mut impl Tables,
    kind: NoteKind,
    key: &str,
    now: Millis,
) -> Result<Option<Note>, StoreError> {
    Ok(tables.find_note(kind, key)?.filter(|note| note.until > now))
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
