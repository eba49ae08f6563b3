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
            let (detail, session, user) =
                (row.get("detail")?, row.get("session")?, row.get("user")?);
            Ok((action, move |action| Entry { at: millis(at), action, detail, session, user }))
        })?;
        entries
            .map(|entry| {
                let (action, entry) = entry?;
                Action::of_word(&action).map(entry).ok_or(StoreError::Corrupt("action"))
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

const ADD: &str = "
INSERT INTO audit (at, action, detail, session, user)
VALUES (:at, :action, :detail, :session, :user)
";

const NEWEST: &str = "SELECT * FROM audit ORDER BY number DESC LIMIT ?1";
