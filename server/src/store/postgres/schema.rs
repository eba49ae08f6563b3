//! The tables, and how a database of an older server gets them.

use deadpool_postgres::Client;

use super::trouble::Trouble;
use crate::store::StoreError;

/// Brings the tables up to date. Of several processes that start at once one does it and the others
/// wait.
pub(super) async fn migrate(client: &Client) -> Result<(), Trouble> {
    let begin = format!(
        "BEGIN; SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock({MIGRATION});"
    );
    client.batch_execute(&begin).await?;
    let missing = match version(client).await? {
        Some(version) => missing(version)?,
        None => {
            client.batch_execute(EMPTY).await?;
            MIGRATIONS
        }
    };
    for statements in missing {
        client.batch_execute(statements).await?;
    }
    if !missing.is_empty() {
        let now = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        client.execute("UPDATE everfresh.schema SET version = $1", &[&now]).await?;
    }
    Ok(client.batch_execute("COMMIT").await?)
}

/// Refuses tables that are not of this version.
pub(super) async fn check(client: &Client) -> Result<(), Trouble> {
    match version(client).await? {
        Some(version) if missing(version)?.is_empty() => Ok(()),
        _ => {
            let why = "the tables are not there or of an older server; start this one once, which \
                       makes them or brings them up to date";
            Err(StoreError::Postgres(why.to_owned()).into())
        }
    }
}

async fn version(client: &Client) -> Result<Option<i64>, Trouble> {
    let there = "SELECT to_regclass('everfresh.schema') IS NOT NULL";
    if !client.query_one(there, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let version = client.query_one("SELECT version FROM everfresh.schema", &[]).await?;
    Ok(Some(version.try_get(0)?))
}

fn missing(version: i64) -> Result<&'static [&'static str], StoreError> {
    let missing = usize::try_from(version).ok().and_then(|version| MIGRATIONS.get(version..));
    missing.ok_or_else(|| {
        StoreError::Postgres(format!(
            "the database has schema {version}, which a newer server wrote; run that one"
        ))
    })
}

const EMPTY: &str = "
CREATE SCHEMA IF NOT EXISTS everfresh;
CREATE TABLE everfresh.schema (version BIGINT NOT NULL);
INSERT INTO everfresh.schema VALUES (0);
";

/// What makes each version of the tables out of the one before it; never changed, only added to.
const MIGRATIONS: &[&str] = &[TABLES];

/// A refresh changes no column that an index holds, but for `sweep_at` once an hour: then Postgres
/// writes the row and no index (a heap-only update), and refreshes of different sessions have
/// nothing in common that they could conflict about.
const TABLES: &str = "
CREATE TABLE everfresh.users (
    id TEXT PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    version BIGINT NOT NULL,
    disabled BOOLEAN NOT NULL,
    reauth BOOLEAN NOT NULL,
    name TEXT NOT NULL,
    phone TEXT,
    is_manager BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE everfresh.sessions (
    sid BYTEA PRIMARY KEY,
    user_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    device_name TEXT,
    status TEXT NOT NULL,
    generation BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    parent_digest BYTEA,
    parent_salt BYTEA,
    ring TEXT NOT NULL,
    replays BIGINT NOT NULL,
    keyed BOOLEAN NOT NULL,
    seen BOOLEAN NOT NULL,
    auth_time BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    idle_expires_at BIGINT,
    absolute_expires_at BIGINT,
    user_version BIGINT NOT NULL,
    sweep_at BIGINT
) WITH (fillfactor = 60);
CREATE INDEX sessions_of_user ON everfresh.sessions (user_id);
CREATE INDEX sessions_to_sweep ON everfresh.sessions (sweep_at);
CREATE TABLE everfresh.notes (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    sid BYTEA NOT NULL,
    text TEXT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (kind, key)
);
CREATE INDEX notes_of_session ON everfresh.notes (sid);
CREATE INDEX notes_by_end ON everfresh.notes (until);
CREATE TABLE everfresh.audit (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at BIGINT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL,
    session TEXT NOT NULL,
    account TEXT NOT NULL,
    address TEXT NOT NULL,
    left_out BIGINT NOT NULL
);
CREATE INDEX audit_by_time ON everfresh.audit (at);
CREATE TABLE everfresh.keyring (
    id BOOLEAN PRIMARY KEY DEFAULT true CHECK (id),
    content BYTEA NOT NULL
);
CREATE TABLE everfresh.probe (
    id BOOLEAN PRIMARY KEY DEFAULT true CHECK (id),
    written_at TIMESTAMPTZ NOT NULL
);
";

/// Names the lock; any number will do that nobody else takes.
const MIGRATION: i64 = 0x6576_6572_6672_6573;
