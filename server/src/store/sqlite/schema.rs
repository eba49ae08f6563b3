//! The tables, and how a file of an older server gets them.

use rusqlite::Connection;

use super::StoreError;

/// The version of the tables, and what makes the newest one of it.
pub(super) fn missing(
    connection: &Connection,
) -> Result<(u32, &'static [&'static str]), StoreError> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let missing = MIGRATIONS.get(version as usize..).ok_or_else(|| {
        StoreError::Sqlite(format!(
            "the file has schema {version}, which a newer server wrote; run that one"
        ))
    })?;
    Ok((version, missing))
}

/// Brings the tables up to date.
pub(super) fn migrate(connection: &Connection) -> Result<(), StoreError> {
    let (version, missing) = missing(connection)?;
    for (number, statements) in (version + 1..).zip(missing) {
        let whole = format!("BEGIN IMMEDIATE;{statements}PRAGMA user_version = {number};COMMIT;");
        connection.execute_batch(&whole)?;
    }
    Ok(())
}

/// What makes each version of the schema out of the one before it; never changed, only added to.
const MIGRATIONS: &[&str] = &[
    USERS_AND_SESSIONS,
    NOTES,
    AUDIT,
    // Sessions were written in another form before the first release; users sign in once more.
    "DELETE FROM session;",
    FAILURES,
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

const AUDIT: &str = "
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL,
    session TEXT NOT NULL,
    user TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_time ON audit (at);
";

/// Sign-ins that failed came later.
const FAILURES: &str = "
ALTER TABLE audit ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0;
";
