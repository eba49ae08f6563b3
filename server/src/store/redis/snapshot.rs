use std::collections::{BTreeMap, BTreeSet};

use super::{keys, record};
use crate::rotation::{Millis, SessionFamily, SessionId};
use crate::secret::random;
use crate::store::{MarkKind, StoreError, Tables, TokenMark, User};

/// What a step has read of Redis, and what it wants written.
///
/// A step runs on it as on any tables. If it asks for something that has not been read yet, it is
/// interrupted, that is read, and the step begins again: steps change nothing but the tables.
#[derive(Debug)]
pub(super) struct Snapshot {
    stamp: String,
    read: BTreeMap<String, Option<Stamped>>,
    listings: BTreeMap<Option<String>, Vec<SessionId>>,
    notes: BTreeMap<(MarkKind, SessionId), Vec<String>>,
    now: Option<Millis>,
    wanted: Option<Want>,
    written: BTreeMap<String, String>,
    commands: Vec<Vec<String>>,
}

/// Something to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// A family and its user.
    Family(SessionId),
    /// One record.
    Record(String),
    /// A user's families, or all.
    Listing(Option<String>),
    /// A session's notes.
    Notes(MarkKind, SessionId),
}

/// A text as it lies in Redis: a stamp, which every write draws afresh, and JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamped {
    stamp: String,
    text: String,
}

impl Stamped {
    /// Takes a value apart.
    pub(super) fn parse(mut value: String) -> Result<Self, StoreError> {
        if !value.is_char_boundary(STAMP) || value.len() < STAMP {
            return Err(StoreError::Corrupt("no stamp"));
        }
        let text = value.split_off(STAMP);
        Ok(Self { stamp: value, text })
    }

    /// Whose family this is.
    pub(super) fn owner(&self) -> Result<String, StoreError> {
        record::read::<SessionFamily>("session", &self.text).map(|row| row.user_id)
    }
}

/// What [`Snapshot::commit`] asks of Redis.
#[derive(Debug)]
pub(super) struct Commit {
    /// What must not have changed, with its stamp.
    pub(super) read: Vec<(String, String)>,
    /// What is written besides.
    pub(super) written: Vec<String>,
    /// The commands that write it.
    pub(super) commands: Vec<Vec<String>>,
}

impl Snapshot {
    pub(super) fn empty() -> Result<Self, StoreError> {
        let stamp = random().map_err(|error| StoreError::Redis(error.to_string()))?;
        Ok(Self {
            stamp: format!("{:016x}", u64::from_be_bytes(stamp)),
            read: BTreeMap::new(),
            listings: BTreeMap::new(),
            notes: BTreeMap::new(),
            now: None,
            wanted: None,
            written: BTreeMap::new(),
            commands: Vec::new(),
        })
    }

    /// Takes in what was read. What is known already stays: the step may have relied on it.
    pub(super) fn take_in(&mut self, key: String, value: Option<Stamped>) {
        self.read.entry(key).or_insert(value);
    }

    /// Takes in which families there are.
    pub(super) fn list(&mut self, user_id: Option<String>, sids: Vec<SessionId>) {
        self.listings.insert(user_id, sids);
    }

    /// Takes in which notes a session has, by their keys.
    pub(super) fn list_notes(&mut self, kind: MarkKind, sid: SessionId, keys: Vec<String>) {
        self.notes.insert((kind, sid), keys);
    }

    /// Why the step was interrupted, if it was; after this it begins afresh.
    pub(super) fn interrupted(&mut self) -> Option<Want> {
        let want = self.wanted.take()?;
        self.written.clear();
        self.commands.clear();
        Some(want)
    }

    /// What has to happen now; the step is over.
    pub(super) fn commit(self) -> Commit {
        let stamp = |value: Option<Stamped>| value.map(|value| value.stamp).unwrap_or_default();
        let keys = self.commands.iter().map(|command| &command[1]);
        let fresh: BTreeSet<&String> = keys.filter(|key| !self.read.contains_key(*key)).collect();
        Commit {
            written: fresh.into_iter().cloned().collect(),
            read: self.read.into_iter().map(|(key, value)| (key, stamp(value))).collect(),
            commands: self.commands,
        }
    }

    fn look(&mut self, key: &str, want: Want) -> Result<Option<&str>, StoreError> {
        if let Some(text) = self.written.get(key) {
            return Ok(Some(text));
        }
        match self.read.get(key) {
            Some(value) => Ok(value.as_ref().map(|value| &*value.text)),
            None => {
                self.wanted = Some(want);
                Err(StoreError::Contended)
            }
        }
    }

    fn record(&mut self, key: &str) -> Result<Option<&str>, StoreError> {
        self.look(key, Want::Record(key.to_owned()))
    }

    fn set(&mut self, key: String, text: String, life: Option<u64>) {
        let mut command = vec!["SET".to_owned(), key.clone(), format!("{}{text}", self.stamp)];
        if let Some(life) = life {
            command.extend(["PX".to_owned(), life.to_string()]);
        }
        self.commands.push(command);
        self.written.insert(key, text);
    }

    fn command<const N: usize>(&mut self, words: [&str; N]) {
        self.commands.push(words.map(str::to_owned).to_vec());
    }

    fn unlist(&mut self, note: &TokenMark) {
        let sid = note.sid.to_string();
        self.command(["SREM", &keys::notes_of(note.kind, note.sid), &note.key]);
        self.command(["ZREM", &keys::notes(note.kind), &keys::member(&note.key, &sid)]);
    }
}

impl Tables for Snapshot {
    fn row(&mut self, sid: SessionId) -> Result<Option<SessionFamily>, StoreError> {
        let text = self.look(&keys::session(sid), Want::Family(sid))?;
        text.map(|text| record::read("session", text)).transpose()
    }

    fn rows(&mut self, user_id: Option<&str>) -> Result<Vec<SessionFamily>, StoreError> {
        let user_id = user_id.map(str::to_owned);
        let Some(sids) = self.listings.get(&user_id).cloned() else {
            self.wanted = Some(Want::Listing(user_id));
            return Err(StoreError::Contended);
        };
        let mut rows = Vec::new();
        for sid in sids {
            rows.extend(self.row(sid)?);
        }
        rows.sort_by_key(|row| (row.created_at, row.sid));
        Ok(rows)
    }

    fn put_row(&mut self, row: SessionFamily) -> Result<(), StoreError> {
        let (sid, user_id) = (row.sid.to_string(), row.user_id.clone());
        let score = record::end(&row).map_or_else(|| "+inf".to_owned(), |end| end.to_string());
        let member = keys::member(&sid, &user_id);
        self.set(keys::session(row.sid), record::write(&row)?, record::life(&row));
        self.command(["SADD", &keys::sessions_of(&user_id), &sid]);
        self.command(["ZADD", keys::SESSIONS, &score, &member]);
        for listed in [None, Some(user_id)] {
            if let Some(sids) = self.listings.get_mut(&listed)
                && !sids.contains(&row.sid)
            {
                sids.push(row.sid);
            }
        }
        Ok(())
    }

    fn user(&mut self, id: &str) -> Result<Option<User>, StoreError> {
        let text = self.record(&keys::user(id))?;
        let user = text.map(|text| record::read::<record::UserRecord>("user", text)).transpose()?;
        Ok(user.map(User::from))
    }

    fn user_named(&mut self, username: &str) -> Result<Option<User>, StoreError> {
        match self.record(&keys::name(username))? {
            Some(id) => {
                let id: String = record::read("name", id)?;
                self.user(&id)
            }
            None => Ok(None),
        }
    }

    fn put_user(&mut self, user: User) -> Result<(), StoreError> {
        let key = keys::user(&user.id);
        if self.record(&key)?.is_none() {
            self.set(keys::name(&user.username), record::write(&user.id)?, None);
        }
        self.set(key, record::write(&record::UserRecord::from(&user))?, None);
        Ok(())
    }

    fn put_mark(&mut self, note: TokenMark) -> Result<(), StoreError> {
        if let Some(old) = self.find_mark(note.kind, &note.key)? {
            self.unlist(&old);
        }
        let life = self.now.map(|now| record::kept(note.until.saturating_sub(now)));
        let (sid, until) = (note.sid.to_string(), note.until.to_string());
        self.set(keys::note(note.kind, &note.key), record::write(&note)?, life);
        self.command(["SADD", &keys::notes_of(note.kind, note.sid), &note.key]);
        let member = keys::member(&note.key, &sid);
        self.command(["ZADD", &keys::notes(note.kind), &until, &member]);
        Ok(())
    }

    fn find_mark(&mut self, kind: MarkKind, key: &str) -> Result<Option<TokenMark>, StoreError> {
        let text = self.record(&keys::note(kind, key))?;
        text.map(|text| record::read("note", text)).transpose()
    }

    fn take_marks(&mut self, kind: MarkKind, sid: SessionId) -> Result<Vec<TokenMark>, StoreError> {
        let Some(mut listed) = self.notes.get(&(kind, sid)).cloned() else {
            self.wanted = Some(Want::Notes(kind, sid));
            return Err(StoreError::Contended);
        };
        listed.sort();
        let mut taken = Vec::new();
        for key in listed {
            if let Some(note) = self.find_mark(kind, &key)? {
                self.command(["DEL", &keys::note(kind, &key)]);
                self.unlist(&note);
                taken.push(note);
            }
        }
        Ok(taken)
    }

    /// The store itself does that, before the step; what is left to do is to limit a note's life.
    fn drop_marks(&mut self, now: Millis) -> Result<(), StoreError> {
        self.now = Some(now);
        Ok(())
    }
}

const STAMP: usize = 16;
