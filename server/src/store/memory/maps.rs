use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use crate::audit::Entry;
use crate::rotation::{Millis, SessionFamily, SessionId};
use crate::store::{MarkKind, StoreError, Tables, TokenMark, User};

/// The tables, each with what finds its rows by something else than their key.
#[derive(Debug, Default)]
pub(super) struct Maps {
    rows: HashMap<SessionId, SessionFamily>,
    rows_of: HashMap<String, HashSet<SessionId>>,
    users: HashMap<String, User>,
    ids: HashMap<String, String>,
    notes: HashMap<(MarkKind, String), TokenMark>,
    notes_of: HashMap<(MarkKind, SessionId), BTreeSet<String>>,
    /// The notes of each kind by what is dropped next.
    expiries: HashMap<MarkKind, BTreeSet<(Millis, String)>>,
    audit: VecDeque<Entry>,
}

impl Maps {
    pub(super) fn count_notes(&self, kind: MarkKind, now: Millis) -> usize {
        self.expiries.get(&kind).map_or(0, |expiries| {
            let expired = expiries.iter().take_while(|(until, _)| *until <= now);
            expiries.len() - expired.count()
        })
    }

    pub(super) fn sweep(&mut self, before: Millis) -> usize {
        let held = self.rows.len();
        let rows_of = &mut self.rows_of;
        self.rows.retain(|sid, row| {
            let limits = [row.idle_expires_at, row.absolute_expires_at];
            let kept = limits.into_iter().flatten().all(|limit| limit >= before);
            if !kept && let Some(sids) = rows_of.get_mut(&row.user_id) {
                sids.remove(sid);
                if sids.is_empty() {
                    rows_of.remove(&row.user_id);
                }
            }
            kept
        });
        held - self.rows.len()
    }

    pub(super) fn audit(&mut self, entries: Vec<Entry>, forget_before: Millis) {
        self.audit.extend(entries);
        self.audit.retain(|entry| entry.at >= forget_before);
        let excess = self.audit.len().saturating_sub(AUDITED);
        self.audit.drain(..excess);
    }

    pub(super) fn audited(&self, newest: usize) -> Vec<Entry> {
        self.audit.iter().rev().take(newest).cloned().collect()
    }

    fn expire(&mut self, kind: MarkKind, now: Millis) {
        while let Some((until, key)) = self.expiries.get(&kind).and_then(BTreeSet::first)
            && *until <= now
        {
            let key = key.clone();
            self.drop_mark(kind, key);
        }
    }

    fn drop_mark(&mut self, kind: MarkKind, key: String) -> Option<TokenMark> {
        let note = self.notes.remove(&(kind, key))?;
        if let Some(expiries) = self.expiries.get_mut(&kind) {
            expiries.remove(&(note.until, note.key.clone()));
        }
        if let Some(keys) = self.notes_of.get_mut(&(kind, note.sid)) {
            keys.remove(&note.key);
            if keys.is_empty() {
                self.notes_of.remove(&(kind, note.sid));
            }
        }
        Some(note)
    }
}

impl Tables for Maps {
    fn row(&mut self, sid: SessionId) -> Result<Option<SessionFamily>, StoreError> {
        Ok(self.rows.get(&sid).cloned())
    }

    fn rows(&mut self, user_id: Option<&str>) -> Result<Vec<SessionFamily>, StoreError> {
        let mut rows: Vec<SessionFamily> = match user_id {
            Some(user) => {
                let sids = self.rows_of.get(user).into_iter().flatten();
                sids.filter_map(|sid| self.rows.get(sid)).cloned().collect()
            }
            None => self.rows.values().cloned().collect(),
        };
        rows.sort_by_key(|row| (row.created_at, row.sid));
        Ok(rows)
    }

    fn put_row(&mut self, row: SessionFamily) -> Result<(), StoreError> {
        self.rows_of.entry(row.user_id.clone()).or_default().insert(row.sid);
        self.rows.insert(row.sid, row);
        Ok(())
    }

    fn user(&mut self, id: &str) -> Result<Option<User>, StoreError> {
        Ok(self.users.get(id).cloned())
    }

    fn user_named(&mut self, username: &str) -> Result<Option<User>, StoreError> {
        Ok(self.ids.get(username).and_then(|id| self.users.get(id)).cloned())
    }

    fn put_user(&mut self, user: User) -> Result<(), StoreError> {
        self.ids.insert(user.username.clone(), user.id.clone());
        self.users.insert(user.id.clone(), user);
        Ok(())
    }

    fn put_mark(&mut self, note: TokenMark) -> Result<(), StoreError> {
        self.drop_mark(note.kind, note.key.clone());
        self.expiries.entry(note.kind).or_default().insert((note.until, note.key.clone()));
        self.notes_of.entry((note.kind, note.sid)).or_default().insert(note.key.clone());
        self.notes.insert((note.kind, note.key.clone()), note);
        Ok(())
    }

    fn find_mark(&mut self, kind: MarkKind, key: &str) -> Result<Option<TokenMark>, StoreError> {
        Ok(self.notes.get(&(kind, key.to_owned())).cloned())
    }

    fn take_marks(&mut self, kind: MarkKind, sid: SessionId) -> Result<Vec<TokenMark>, StoreError> {
        let keys = self.notes_of.remove(&(kind, sid)).unwrap_or_default();
        Ok(keys.into_iter().filter_map(|key| self.drop_mark(kind, key)).collect())
    }

    fn drop_marks(&mut self, now: Millis) -> Result<(), StoreError> {
        for kind in MarkKind::ALL {
            self.expire(kind, now);
        }
        Ok(())
    }
}

/// Memory is for sessions; of the audit log it keeps the newest entries.
const AUDITED: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_what_is_gone() {
        let mut maps = Maps::default();
        for number in 0..9 {
            let (kind, key) = (MarkKind::Denied, format!("{}", number % 5));
            let sid = SessionId([number % 2; 16]);
            let until = 10 + u64::from(number);
            maps.put_mark(TokenMark { kind, key, sid, text: String::new(), until }).unwrap();
        }
        assert_eq!(maps.count_notes(MarkKind::Denied, 0), 5, "one for each key");
        assert_eq!(maps.take_marks(MarkKind::Denied, SessionId([0; 16])).unwrap().len(), 3);
        assert_eq!(maps.count_notes(MarkKind::Denied, 0), 2);
        maps.drop_marks(100).unwrap();
        assert!(maps.notes.is_empty() && maps.notes_of.is_empty());
        assert!(maps.expiries.values().all(BTreeSet::is_empty));
    }
}
