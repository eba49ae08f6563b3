use rusqlite::named_params;

use super::StoreError;
use super::tables::{SqliteTables, integer, millis};
use crate::audit::{Action, Entry};
use crate::rotation::Millis;

impl SqliteTables<'_> {
    pub(super) fn audit(&self, entries: &[Entry], forget_before: Millis) -> Result<(), StoreError> {
        let mut add = self.0.prepare_cached(ADD)?;
        for entry in entries {
            add.execute(named_params! {
                ":at": integer(entry.at),
                ":action": entry.action.word(),
                ":detail": entry.detail,
                ":session": entry.session,
                ":user": entry.user,
                ":address": entry.address,
                ":left_out": integer(entry.left_out),
            })?;
        }
        self.0
            .prepare_cached("DELETE FROM audit WHERE at < ?1")?
            .execute([integer(forget_before)])?;
        Ok(())
    }

    pub(super) fn audited(&self, newest: usize) -> Result<Vec<Entry>, StoreError> {
        let newest = i64::try_from(newest).unwrap_or(i64::MAX);
        let mut statement = self.0.prepare_cached(NEWEST)?;
        let entries = statement.query_map([newest], |row| {
            let action: String = row.get("action")?;
            let at: i64 = row.get("at")?;
            let left_out: i64 = row.get("left_out")?;
            let entry = Entry {
                at: millis(at),
                detail: row.get("detail")?,
                session: row.get("session")?,
                user: row.get("user")?,
                address: row.get("address")?,
                left_out: millis(left_out),
                ..Entry::default()
            };
            Ok((action, entry))
        })?;
        entries
            .map(|entry| {
                let (action, entry) = entry?;
                let action = Action::of_word(&action).ok_or(StoreError::Corrupt("action"))?;
                Ok(Entry { action, ..entry })
            })
            .collect()
    }
}

pub(super) const SCHEMA: &str = "
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
pub(super) const FAILURES: &str = "
ALTER TABLE audit ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0;
";

const ADD: &str = "
INSERT INTO audit (at, action, detail, session, user, address, left_out)
VALUES (:at, :action, :detail, :session, :user, :address, :left_out)
";

const NEWEST: &str = "SELECT * FROM audit ORDER BY number DESC LIMIT ?1";
