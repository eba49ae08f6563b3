use rusqlite::named_params;

use super::tables::{SqliteTables, integer, millis};
use super::{StoreError, statements};
use crate::audit::{Action, Entry};
use crate::rotation::Millis;

impl SqliteTables<'_> {
    pub(super) fn audit(&self, entries: &[Entry], forget_before: Millis) -> Result<(), StoreError> {
        let mut add = self.prepared(statements::PUT_AUDIT)?;
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
        self.prepared(statements::FORGET_AUDIT)?.execute([integer(forget_before)])?;
        Ok(())
    }

    pub(super) fn audited(&self, newest: usize) -> Result<Vec<Entry>, StoreError> {
        let newest = i64::try_from(newest).unwrap_or(i64::MAX);
        let mut statement = self.prepared(statements::NEWEST_AUDIT)?;
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
