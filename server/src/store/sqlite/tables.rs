use rusqlite::{CachedStatement, Connection, OptionalExtension, named_params, params_from_iter};

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
        self.prepared(statements::PUT_SESSION)?.execute(named_params! {
            ":sid": &row.sid.0[..],
            ":user_id": row.user_id,
            ":client_id": row.client_id,
            ":device_name": row.device_name,
            ":status": serde_json::to_string(&row.status).map_err(text)?,
            ":generation": row.generation,
            ":digest": &row.digest[..],
            ":parent_digest": parent.map(|parent| &parent.digest[..]),
            ":parent_salt": parent.map(|parent| &parent.salt[..]),
            ":ring": serde_json::to_string(&row.ring).map_err(text)?,
            ":replays": row.replays,
            ":keyed": row.keyed,
            ":seen": row.seen,
            ":auth_time": integer(row.auth_time),
            ":created_at": integer(row.created_at),
            ":last_used_at": integer(row.last_used_at),
            ":idle_expires_at": row.idle_expires_at.map(integer),
            ":absolute_expires_at": row.absolute_expires_at.map(integer),
            ":user_version": row.user_version,
        })?;
        Ok(())
    }

    fn user(&mut self, id: &str) -> Result<Option<User>, StoreError> {
        self.user_where(statements::USER, id)
    }

    fn user_named(&mut self, username: &str) -> Result<Option<User>, StoreError> {
        self.user_where(statements::USER_NAMED, username)
    }

    fn put_user(&mut self, user: User) -> Result<(), StoreError> {
        self.prepared(statements::PUT_USER)?.execute(named_params! {
            ":id": user.id,
            ":username": user.username,
            ":password": user.password.expose(),
            ":version": user.version,
            ":disabled": user.disabled,
            ":reauth": user.reauth,
            ":name": user.name,
            ":phone": user.phone,
            ":is_manager": user.is_manager,
            ":created_at": integer(user.created_at),
        })?;
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

fn read_mark(kind: MarkKind, row: &rusqlite::Row<'_>) -> Result<TokenMark, StoreError> {
    let sid = row.get::<_, Vec<u8>>("sid")?.try_into();
    Ok(TokenMark {
        kind,
        key: row.get("key")?,
        sid: SessionId(sid.map_err(|_| StoreError::Corrupt("sid"))?),
        text: row.get("text")?,
        until: millis(row.get("until")?),
    })
}

fn read_row(row: &rusqlite::Row<'_>) -> Result<SessionFamily, StoreError> {
    let bytes = |name: &str| row.get::<_, Option<Vec<u8>>>(name);
    let sid = bytes("sid")?.and_then(|sid| sid.try_into().ok());
    let digest = bytes("digest")?.and_then(|digest| digest.try_into().ok());
    let parent = match (bytes("parent_digest")?, bytes("parent_salt")?) {
        (Some(digest), Some(salt)) => Some(Parent {
            digest: digest.try_into().map_err(|_| StoreError::Corrupt("parent_digest"))?,
            salt: salt.try_into().map_err(|_| StoreError::Corrupt("parent_salt"))?,
        }),
        _ => None,
    };
    let (status, ring): (String, String) = (row.get("status")?, row.get("ring")?);
    Ok(SessionFamily {
        sid: SessionId(sid.ok_or(StoreError::Corrupt("sid"))?),
        user_id: row.get("user_id")?,
        client_id: row.get("client_id")?,
        device_name: row.get("device_name")?,
        status: serde_json::from_str(&status).map_err(|_| StoreError::Corrupt("status"))?,
        generation: row.get("generation")?,
        digest: digest.ok_or(StoreError::Corrupt("digest"))?,
        parent,
        ring: serde_json::from_str(&ring).map_err(|_| StoreError::Corrupt("ring"))?,
        replays: row.get("replays")?,
        keyed: row.get("keyed")?,
        seen: row.get("seen")?,
        auth_time: millis(row.get("auth_time")?),
        created_at: millis(row.get("created_at")?),
        last_used_at: millis(row.get("last_used_at")?),
        idle_expires_at: row.get::<_, Option<i64>>("idle_expires_at")?.map(millis),
        absolute_expires_at: row.get::<_, Option<i64>>("absolute_expires_at")?.map(millis),
        user_version: row.get("user_version")?,
    })
}

fn read_user(row: &rusqlite::Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get("id")?,
        username: row.get("username")?,
        password: row.get::<_, String>("password")?.into(),
        version: row.get("version")?,
        disabled: row.get("disabled")?,
        reauth: row.get("reauth")?,
        name: row.get("name")?,
        phone: row.get("phone")?,
        is_manager: row.get("is_manager")?,
        created_at: millis(row.get("created_at")?),
    })
}

pub(super) fn integer(time: Millis) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

pub(super) fn millis(integer: i64) -> Millis {
    integer.max(0).unsigned_abs()
}
