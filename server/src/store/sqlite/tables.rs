use rusqlite::{Connection, OptionalExtension, named_params};

use super::StoreError;
use crate::rotation::{Millis, Parent, Row, SessionId};
use crate::store::{Note, NoteKind, Tables, User};

/// The tables of a connection.
pub(super) struct SqliteTables<'a>(pub(super) &'a Connection);

impl<'a> SqliteTables<'a> {
    pub(super) fn on(connection: &'a Connection) -> Self {
        Self(connection)
    }

    /// Writes the version of the schema where it stands, which is a write like any other: a full disk
    /// can still be read.
    pub(super) fn ping(&self) -> Result<(), StoreError> {
        let version: u32 = self.0.pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok(self.0.pragma_update(None, "user_version", version)?)
    }

    pub(super) fn sweep(&self, before: Millis) -> Result<usize, StoreError> {
        let sql = "DELETE FROM session WHERE idle_expires_at < ?1 OR absolute_expires_at < ?1";
        Ok(self.0.prepare_cached(sql)?.execute([integer(before)])?)
    }

    pub(super) fn count_notes(&self, kind: NoteKind, now: Millis) -> Result<usize, StoreError> {
        let sql = "SELECT count(*) FROM note WHERE kind = ?1 AND until > ?2";
        let count = |row: &rusqlite::Row<'_>| row.get::<_, u32>(0);
        let count = self.0.prepare_cached(sql)?.query_row((kind.name(), integer(now)), count)?;
        Ok(count as usize)
    }

    fn user_where(&self, sql: &str, value: &str) -> Result<Option<User>, StoreError> {
        let mut statement = self.0.prepare_cached(sql)?;
        Ok(statement.query_row([value], read_user).optional()?)
    }
}

impl Tables for SqliteTables<'_> {
    fn row(&mut self, sid: SessionId) -> Result<Option<Row>, StoreError> {
        let mut statement = self.0.prepare_cached("SELECT * FROM session WHERE sid = ?1")?;
        statement.query_row([&sid.0[..]], |row| Ok(read_row(row))).optional()?.transpose()
    }

    fn rows(&mut self, user_id: Option<&str>) -> Result<Vec<Row>, StoreError> {
        let sql = "SELECT * FROM session WHERE ?1 IS NULL OR user_id = ?1 ORDER BY created_at, sid";
        let mut statement = self.0.prepare_cached(sql)?;
        let rows = statement.query_map([user_id], |row| Ok(read_row(row)))?;
        rows.map(|row| row?).collect()
    }

    fn put_row(&mut self, row: Row) -> Result<(), StoreError> {
        let text = |wrong: serde_json::Error| StoreError::Sqlite(wrong.to_string());
        let parent = row.parent.as_ref();
        self.0.prepare_cached(PUT_SESSION)?.execute(named_params! {
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
        self.user_where("SELECT * FROM user WHERE id = ?1", id)
    }

    fn user_named(&mut self, username: &str) -> Result<Option<User>, StoreError> {
        self.user_where("SELECT * FROM user WHERE username = ?1", username)
    }

    fn put_user(&mut self, user: User) -> Result<(), StoreError> {
        self.0.prepare_cached(PUT_USER)?.execute(named_params! {
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

    fn put_note(&mut self, note: Note) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO note VALUES (?1, ?2, ?3, ?4, ?5)";
        let until = integer(note.until);
        let values = (note.kind.name(), note.key, &note.sid.0[..], note.text, until);
        self.0.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    fn find_note(&mut self, kind: NoteKind, key: &str) -> Result<Option<Note>, StoreError> {
        let sql = "SELECT * FROM note WHERE kind = ?1 AND key = ?2";
        let mut statement = self.0.prepare_cached(sql)?;
        let note = statement.query_row([kind.name(), key], |row| Ok(read_note(kind, row)));
        note.optional()?.transpose()
    }

    fn take_notes(&mut self, kind: NoteKind, sid: SessionId) -> Result<Vec<Note>, StoreError> {
        let sql = "SELECT * FROM note WHERE sid = ?1 AND kind = ?2 ORDER BY key";
        let mut statement = self.0.prepare_cached(sql)?;
        let notes =
            statement.query_map((&sid.0[..], kind.name()), |row| Ok(read_note(kind, row)))?;
        let notes: Vec<Note> = notes.map(|note| note?).collect::<Result<_, StoreError>>()?;
        let sql = "DELETE FROM note WHERE sid = ?1 AND kind = ?2";
        self.0.prepare_cached(sql)?.execute((&sid.0[..], kind.name()))?;
        Ok(notes)
    }

    fn drop_notes(&mut self, now: Millis) -> Result<(), StoreError> {
        self.0.prepare_cached("DELETE FROM note WHERE until <= ?1")?.execute([integer(now)])?;
        Ok(())
    }
}

fn read_note(kind: NoteKind, row: &rusqlite::Row<'_>) -> Result<Note, StoreError> {
    let sid = row.get::<_, Vec<u8>>("sid")?.try_into();
    Ok(Note {
        kind,
        key: row.get("key")?,
        sid: SessionId(sid.map_err(|_| StoreError::Corrupt("sid"))?),
        text: row.get("text")?,
        until: millis(row.get("until")?),
    })
}

fn read_row(row: &rusqlite::Row<'_>) -> Result<Row, StoreError> {
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
    Ok(Row {
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

/// What makes each version of the schema out of the one before it; never changed, only added to.
pub(super) const MIGRATIONS: &[&str] = &[
    USERS_AND_SESSIONS,
    NOTES,
    super::audit::SCHEMA,
    // Sessions were written in another form before the first release; users sign in once more.
    "DELETE FROM session;",
    super::audit::FAILURES,
];

const USERS_AND_SESSIONS: &str = "
CREATE TABLE user (
    id TEXT PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    version INTEGER NOT NULL,
    disabled INTEGER NOT NULL,
    reauth INTEGER NOT NULL,
    name TEXT NOT NULL,
    phone TEXT,
    is_manager INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE session (
    sid BLOB PRIMARY KEY,
    user_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    device_name TEXT,
    status TEXT NOT NULL,
    generation INTEGER NOT NULL,
    digest BLOB NOT NULL,
    parent_digest BLOB,
    parent_salt BLOB,
    ring TEXT NOT NULL,
    replays INTEGER NOT NULL,
    keyed INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    auth_time INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    idle_expires_at INTEGER,
    absolute_expires_at INTEGER,
    user_version INTEGER NOT NULL
) STRICT;
CREATE INDEX session_of_user ON session (user_id);
CREATE INDEX session_by_idle ON session (idle_expires_at);
CREATE INDEX session_by_end ON session (absolute_expires_at);
";

const NOTES: &str = "
CREATE TABLE note (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    sid BLOB NOT NULL,
    text TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX note_of_session ON note (sid);
CREATE INDEX note_by_end ON note (until);
";

const PUT_SESSION: &str = "
INSERT INTO session VALUES (
    :sid, :user_id, :client_id, :device_name, :status, :generation, :digest, :parent_digest,
    :parent_salt, :ring, :replays, :keyed, :seen, :auth_time, :created_at, :last_used_at,
    :idle_expires_at, :absolute_expires_at, :user_version
) ON CONFLICT (sid) DO UPDATE SET
    device_name = excluded.device_name, status = excluded.status,
    generation = excluded.generation, digest = excluded.digest,
    parent_digest = excluded.parent_digest, parent_salt = excluded.parent_salt,
    ring = excluded.ring, replays = excluded.replays, keyed = excluded.keyed,
    seen = excluded.seen, auth_time = excluded.auth_time, last_used_at = excluded.last_used_at,
    idle_expires_at = excluded.idle_expires_at, absolute_expires_at = excluded.absolute_expires_at
";

const PUT_USER: &str = "
INSERT INTO user VALUES (
    :id, :username, :password, :version, :disabled, :reauth, :name, :phone, :is_manager, :created_at
) ON CONFLICT (id) DO UPDATE SET
    username = excluded.username, password = excluded.password, version = excluded.version,
    disabled = excluded.disabled, reauth = excluded.reauth, name = excluded.name,
    phone = excluded.phone, is_manager = excluded.is_manager
";
