use rusqlite::types::FromSql;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params, params_from_iter};
use serde::de::DeserializeOwned;

use super::{StoreError, statements};
use crate::rotation::{Millis, Parent, SessionFamily, SessionId};
use crate::store::statement::Statement;
use crate::store::{MarkKind, Tables, TokenMark, User};

/// The tables of a connection.
pub(super) struct SqliteTables<'a>(&'a Connection);

impl<'a> SqliteTables<'a> {
    pub(super) fn on(connection: &'a Connection) -> Self {
        Self(connection)
    }

    /// A statement out of the list: there is no other way to SQL from a step.
    pub(super) fn prepared(&self, statement: Statement) -> Result<CachedStatement<'a>, StoreError> {
        Ok(self.0.prepare_cached(statement.sql())?)
    }

    /// Writes the version of the schema where it stands, which is a write like any other: a full disk
    /// can still be read.
    pub(super) fn probe(&self) -> Result<(), StoreError> {
        Ok(self.0.pragma_update(None, "user_version", self.version()?)?)
    }

    /// The version of the schema.
    pub(super) fn version(&self) -> Result<u32, StoreError> {
        Ok(self.0.pragma_query_value(None, "user_version", |row| row.get(0))?)
    }

    pub(super) fn sweep(&self, before: Millis) -> Result<usize, StoreError> {
        Ok(self.prepared(statements::SWEEP)?.execute([integer(before)])?)
    }

    pub(super) fn count_notes(&self, kind: MarkKind, now: Millis) -> Result<usize, StoreError> {
        let count = |row: &rusqlite::Row<'_>| row.get::<_, u32>(0);
        let mut statement = self.prepared(statements::COUNT_NOTES)?;
        Ok(statement.query_row((kind.name(), integer(now)), count)? as usize)
    }

    fn user_where(&self, found: Statement, value: &str) -> Result<Option<User>, StoreError> {
        let mut statement = self.prepared(found)?;
        Ok(statement.query_row([value], read_user).optional()?)
    }
}

impl Tables for SqliteTables<'_> {
    fn row(&mut self, sid: SessionId) -> Result<Option<SessionFamily>, StoreError> {
        let mut statement = self.prepared(statements::SESSION)?;
        statement.query_row([&sid.0[..]], |row| Ok(read_row(row))).optional()?.transpose()
    }

    fn rows(&mut self, user_id: Option<&str>) -> Result<Vec<SessionFamily>, StoreError> {
        let listed = match user_id {
            Some(_) => statements::SESSIONS_OF_USER,
            None => statements::EVERY_SESSION,
        };
        let mut statement = self.prepared(listed)?;
        let rows = statement.query_map(params_from_iter(user_id), |row| Ok(read_row(row)))?;
        rows.map(|row| row?).collect()
    }

    fn put_row(&mut self, row: SessionFamily) -> Result<(), StoreError> {
        let text = |wrong: serde_json::Error| StoreError::Sqlite(wrong.to_string());
        let parent = row.parent.as_ref();
        self.prepared(statements::PUT_SESSION)?.execute(params![
            &row.sid.0[..],
            row.user_id,
            row.client_id,
            row.device_name,
            serde_json::to_string(&row.status).map_err(text)?,
            row.generation,
            &row.digest[..],
            parent.map(|parent| &parent.digest[..]),
            parent.map(|parent| &parent.salt[..]),
            serde_json::to_string(&row.ring).map_err(text)?,
            row.replays,
            row.keyed,
            row.seen,
            integer(row.auth_time),
            integer(row.created_at),
            integer(row.last_used_at),
            row.idle_expires_at.map(integer),
            row.absolute_expires_at.map(integer),
            row.user_version,
        ])?;
        Ok(())
    }

    fn user(&mut self, id: &str) -> Result<Option<User>, StoreError> {
        self.user_where(statements::USER, id)
    }

    fn user_named(&mut self, username: &str) -> Result<Option<User>, StoreError> {
        self.user_where(statements::USER_NAMED, username)
    }

    fn put_user(&mut self, user: User) -> Result<(), StoreError> {
        self.prepared(statements::PUT_USER)?.execute(params![
            user.id,
            user.username,
            user.password.expose(),
            user.version,
            user.disabled,
            user.reauth,
            user.name,
            user.phone,
            user.is_manager,
            integer(user.created_at),
        ])?;
        Ok(())
    }

    fn put_mark(&mut self, note: TokenMark) -> Result<(), StoreError> {
        let until = integer(note.until);
        let values = (note.kind.name(), note.key, &note.sid.0[..], note.text, until);
        self.prepared(statements::PUT_NOTE)?.execute(values)?;
        Ok(())
    }

    fn find_mark(&mut self, kind: MarkKind, key: &str) -> Result<Option<TokenMark>, StoreError> {
        let mut statement = self.prepared(statements::NOTE)?;
        let note = statement.query_row([kind.name(), key], |row| Ok(read_mark(kind, row)));
        note.optional()?.transpose()
    }

    fn take_marks(&mut self, kind: MarkKind, sid: SessionId) -> Result<Vec<TokenMark>, StoreError> {
        let mut statement = self.prepared(statements::NOTES_OF_SESSION)?;
        let notes =
            statement.query_map((&sid.0[..], kind.name()), |row| Ok(read_mark(kind, row)))?;
        let notes: Vec<TokenMark> = notes.map(|note| note?).collect::<Result<_, StoreError>>()?;
        self.prepared(statements::DROP_NOTES_OF_SESSION)?.execute((&sid.0[..], kind.name()))?;
        Ok(notes)
    }

    fn drop_marks(&mut self, now: Millis) -> Result<(), StoreError> {
        self.prepared(statements::DROP_NOTES)?.execute([integer(now)])?;
        Ok(())
    }
}

/// The columns of a row of a whole table, in the order of the schema: looking each up by its name takes a
/// sixteenth of a check.
struct Columns<'a>(&'a rusqlite::Row<'a>, usize);

impl<'a> Columns<'a> {
    const fn of(row: &'a rusqlite::Row<'a>) -> Self {
        Self(row, 0)
    }

    fn next<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        self.1 += 1;
        self.0.get(self.1 - 1)
    }

    fn time(&mut self) -> rusqlite::Result<Millis> {
        self.next().map(millis)
    }

    /// Bytes of one length; `None` where there are none.
    fn bytes<const N: usize>(&mut self, name: &'static str) -> Result<Option<[u8; N]>, StoreError> {
        let bytes = self.next::<Option<Vec<u8>>>()?.map(<[u8; N]>::try_from);
        bytes.transpose().map_err(|_| StoreError::Corrupt(name))
    }

    fn some_bytes<const N: usize>(&mut self, name: &'static str) -> Result<[u8; N], StoreError> {
        self.bytes(name)?.ok_or(StoreError::Corrupt(name))
    }

    fn json<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<T, StoreError> {
        let text: String = self.next()?;
        serde_json::from_str(&text).map_err(|_| StoreError::Corrupt(name))
    }
}

fn read_mark(kind: MarkKind, row: &rusqlite::Row<'_>) -> Result<TokenMark, StoreError> {
    let mut columns = Columns::of(row);
    let _: String = columns.next()?;
    Ok(TokenMark {
        kind,
        key: columns.next()?,
        sid: SessionId(columns.some_bytes("sid")?),
        text: columns.next()?,
        until: columns.time()?,
    })
}

fn read_row(row: &rusqlite::Row<'_>) -> Result<SessionFamily, StoreError> {
    let mut columns = Columns::of(row);
    Ok(SessionFamily {
        sid: SessionId(columns.some_bytes("sid")?),
        user_id: columns.next()?,
        client_id: columns.next()?,
        device_name: columns.next()?,
        status: columns.json("status")?,
        generation: columns.next()?,
        digest: columns.some_bytes("digest")?,
        parent: match (columns.bytes("parent_digest")?, columns.bytes("parent_salt")?) {
            (Some(digest), Some(salt)) => Some(Parent { digest, salt }),
            _ => None,
        },
        ring: columns.json("ring")?,
        replays: columns.next()?,
        keyed: columns.next()?,
        seen: columns.next()?,
        auth_time: columns.time()?,
        created_at: columns.time()?,
        last_used_at: columns.time()?,
        idle_expires_at: columns.next::<Option<i64>>()?.map(millis),
        absolute_expires_at: columns.next::<Option<i64>>()?.map(millis),
        user_version: columns.next()?,
    })
}

fn read_user(row: &rusqlite::Row<'_>) -> rusqlite::Result<User> {
    let mut columns = Columns::of(row);
    Ok(User {
        id: columns.next()?,
        username: columns.next()?,
        password: columns.next::<String>()?.into(),
        version: columns.next()?,
        disabled: columns.next()?,
        reauth: columns.next()?,
        name: columns.next()?,
        phone: columns.next()?,
        is_manager: columns.next()?,
        created_at: columns.time()?,
    })
}

pub(super) fn integer(time: Millis) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

pub(super) fn millis(integer: i64) -> Millis {
    integer.max(0).unsigned_abs()
}
