use std::collections::BTreeMap;

use crate::rotation::{Millis, SessionFamily, SessionId};
use crate::store::{MarkKind, StoreError, Tables, TokenMark, User};

/// What a step has read of Postgres, and what it wants written.
///
/// A step runs on it as on any tables. If it asks for something that has not been read yet, it is
/// interrupted, that is read, and the step begins again: steps change nothing but the tables.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    read: Records,
    /// What was read, and over it what the step has written.
    now: Records,
    wanted: Option<Want>,
    writes: Vec<Write>,
}

/// Something to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// A family and its user.
    Family(SessionId),
    /// A user by id.
    User(String),
    /// A user by name.
    Named(String),
    /// A user's families, or all.
    Listing(Option<String>),
    /// A note.
    Mark(MarkKind, String),
    /// A session's notes of a kind.
    Notes(MarkKind, SessionId),
}

/// Something to write.
#[derive(Clone, Debug)]
pub(super) enum Write {
    /// A family.
    SessionFamily(Box<SessionFamily>),
    /// A user.
    User(User),
    /// A note.
    Mark(TokenMark),
    /// There is to be no such note.
    NoNote(MarkKind, String),
    /// All notes go that have expired at this time.
    Expire(Millis),
}

#[derive(Clone, Debug, Default)]
struct Records {
    rows: BTreeMap<SessionId, Option<SessionFamily>>,
    users: BTreeMap<String, Option<User>>,
    ids: BTreeMap<String, Option<String>>,
    listings: BTreeMap<Option<String>, Vec<SessionId>>,
    notes: BTreeMap<(MarkKind, String), Option<TokenMark>>,
    notes_of: BTreeMap<(MarkKind, SessionId), Vec<String>>,
}

impl Snapshot {
    pub(super) fn found_row(&mut self, sid: SessionId, row: Option<SessionFamily>) {
        self.read.rows.insert(sid, row);
    }

    pub(super) fn found_user(&mut self, id: String, user: Option<User>) {
        self.read.users.insert(id, user);
    }

    pub(super) fn found_named(&mut self, username: String, user: Option<User>) {
        self.read.ids.insert(username, user.as_ref().map(|user| user.id.clone()));
        if let Some(user) = user {
            self.found_user(user.id.clone(), Some(user));
        }
    }

    pub(super) fn found_listing(&mut self, user_id: Option<String>, rows: Vec<SessionFamily>) {
        self.read.listings.insert(user_id, rows.iter().map(|row| row.sid).collect());
        self.read.rows.extend(rows.into_iter().map(|row| (row.sid, Some(row))));
    }

    pub(super) fn found_mark(&mut self, kind: MarkKind, key: String, note: Option<TokenMark>) {
        self.read.notes.insert((kind, key), note);
    }

    pub(super) fn found_marks(&mut self, kind: MarkKind, sid: SessionId, notes: Vec<TokenMark>) {
        let keys = notes.iter().map(|note| note.key.clone()).collect();
        self.read.notes_of.insert((kind, sid), keys);
        self.read
            .notes
            .extend(notes.into_iter().map(|note| ((kind, note.key.clone()), Some(note))));
    }

    /// Lets a step begin on what has been read so far.
    pub(super) fn begin(&mut self) -> &mut Self {
        self.now = self.read.clone();
        self.writes.clear();
        self
    }

    /// Why the step was interrupted, if it was.
    pub(super) fn interrupted(&mut self) -> Option<Want> {
        self.wanted.take()
    }

    /// What has to be written, in this order; the step is over.
    pub(super) fn into_writes(self) -> Vec<Write> {
        self.writes
    }

    fn want<T>(&mut self, want: Want) -> Result<T, StoreError> {
        self.wanted = Some(want);
        Err(StoreError::Contended)
    }
}

impl Tables for Snapshot {
    fn row(&mut self, sid: SessionId) -> Result<Option<SessionFamily>, StoreError> {
        match self.now.rows.get(&sid) {
            Some(row) => Ok(row.clone()),
            None => self.want(Want::Family(sid)),
        }
    }

    fn rows(&mut self, user_id: Option<&str>) -> Result<Vec<SessionFamily>, StoreError> {
        let user_id = user_id.map(str::to_owned);
        let Some(sids) = self.now.listings.get(&user_id) else {
            return self.want(Want::Listing(user_id));
        };
        let rows = sids.iter().filter_map(|sid| self.now.rows.get(sid)?.clone());
        Ok(rows.collect())
    }

    fn put_row(&mut self, row: SessionFamily) -> Result<(), StoreError> {
        for listed in [None, Some(row.user_id.clone())] {
            if let Some(sids) = self.now.listings.get_mut(&listed)
                && !sids.contains(&row.sid)
            {
                sids.push(row.sid);
            }
        }
        self.now.rows.insert(row.sid, Some(row.clone()));
        self.writes.push(Write::SessionFamily(Box::new(row)));
        Ok(())
    }

    fn user(&mut self, id: &str) -> Result<Option<User>, StoreError> {
        match self.now.users.get(id) {
            Some(user) => Ok(user.clone()),
            None => self.want(Want::User(id.to_owned())),
        }
    }

    fn user_named(&mut self, username: &str) -> Result<Option<User>, StoreError> {
        match self.now.ids.get(username).cloned() {
            Some(Some(id)) => self.user(&id),
            Some(None) => Ok(None),
            None => self.want(Want::Named(username.to_owned())),
        }
    }

    fn put_user(&mut self, user: User) -> Result<(), StoreError> {
        self.now.ids.insert(user.username.clone(), Some(user.id.clone()));
        self.now.users.insert(user.id.clone(), Some(user.clone()));
        self.writes.push(Write::User(user));
        Ok(())
    }

    fn put_mark(&mut self, note: TokenMark) -> Result<(), StoreError> {
        let (kind, key) = (note.kind, note.key.clone());
        if let Some(keys) = self.now.notes_of.get_mut(&(kind, note.sid))
            && !keys.contains(&key)
        {
            keys.push(key.clone());
        }
        self.now.notes.insert((kind, key), Some(note.clone()));
        self.writes.push(Write::Mark(note));
        Ok(())
    }

    fn find_mark(&mut self, kind: MarkKind, key: &str) -> Result<Option<TokenMark>, StoreError> {
        match self.now.notes.get(&(kind, key.to_owned())) {
            Some(note) => Ok(note.clone()),
            None => self.want(Want::Mark(kind, key.to_owned())),
        }
    }

    fn take_marks(&mut self, kind: MarkKind, sid: SessionId) -> Result<Vec<TokenMark>, StoreError> {
        let Some(keys) = self.now.notes_of.insert((kind, sid), Vec::new()) else {
            return self.want(Want::Notes(kind, sid));
        };
        let mut taken = Vec::new();
        for key in keys {
            let note = self.now.notes.insert((kind, key.clone()), None).flatten();
            taken.extend(note.filter(|note| note.sid == sid));
            self.writes.push(Write::NoNote(kind, key));
        }
        Ok(taken)
    }

    fn drop_marks(&mut self, now: Millis) -> Result<(), StoreError> {
        let expired =
            |note: &Option<TokenMark>| note.as_ref().is_some_and(|note| note.until <= now);
        for note in self.now.notes.values_mut().filter(|note| expired(note)) {
            *note = None;
        }
        self.writes.push(Write::Expire(now));
        Ok(())
    }
}
