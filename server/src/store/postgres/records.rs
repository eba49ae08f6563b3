//! How families, users and notes lie in the tables.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::Row as Columns;
use tokio_postgres::types::{FromSql, ToSql};

use crate::audit::{Action, Entry};
use crate::rotation::{Millis, Parent, SessionFamily, SessionId};
use crate::store::{MarkKind, StoreError, TokenMark, User};

/// The values of a statement, in the order of its parameters.
pub(super) type Values<'a> = Vec<Box<dyn ToSql + Sync + Send + 'a>>;

/// Reads columns one after the other.
pub(super) struct Reader<'a> {
    columns: &'a Columns,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn of(columns: &'a Columns) -> Self {
        Self { columns, at: 0 }
    }

    /// The next column.
    pub(super) fn next<T: FromSql<'a>>(&mut self, what: &'static str) -> Result<T, StoreError> {
        let value = self.columns.try_get(self.at).map_err(|_| StoreError::Corrupt(what))?;
        self.at += 1;
        Ok(value)
    }

    fn text(&mut self, what: &'static str) -> Result<String, StoreError> {
        Ok(without_escapes(self.next(what)?))
    }

    fn number(&mut self, what: &'static str) -> Result<u32, StoreError> {
        u32::try_from(self.next::<i64>(what)?).map_err(|_| StoreError::Corrupt(what))
    }

    fn millis(&mut self, what: &'static str) -> Result<Millis, StoreError> {
        Ok(millis(self.next(what)?))
    }

    fn bytes<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], StoreError> {
        self.next::<&[u8]>(what)?.try_into().map_err(|_| StoreError::Corrupt(what))
    }

    fn json<T: DeserializeOwned>(&mut self, what: &'static str) -> Result<T, StoreError> {
        serde_json::from_str(self.next(what)?).map_err(|_| StoreError::Corrupt(what))
    }

    pub(super) fn session(&mut self) -> Result<SessionFamily, StoreError> {
        Ok(SessionFamily {
            sid: SessionId(self.bytes("sid")?),
            user_id: self.next("user_id")?,
            client_id: self.text("client_id")?,
            device_name: self.next::<Option<_>>("device_name")?.map(without_escapes),
            status: self.json("status")?,
            generation: self.number("generation")?,
            digest: self.bytes("digest")?,
            parent: self.parent()?,
            ring: self.json("ring")?,
            replays: self.number("replays")?,
            keyed: self.next("keyed")?,
            seen: self.next("seen")?,
            auth_time: self.millis("auth_time")?,
            created_at: self.millis("created_at")?,
            last_used_at: self.millis("last_used_at")?,
            idle_expires_at: self.next::<Option<_>>("idle_expires_at")?.map(millis),
            absolute_expires_at: self.next::<Option<_>>("absolute_expires_at")?.map(millis),
            user_version: self.number("user_version")?,
        })
    }

    fn parent(&mut self) -> Result<Option<Parent>, StoreError> {
        let digest: Option<&[u8]> = self.next("parent_digest")?;
        let salt: Option<&[u8]> = self.next("parent_salt")?;
        let (Some(digest), Some(salt)) = (digest, salt) else { return Ok(None) };
        Ok(Some(Parent {
            digest: digest.try_into().map_err(|_| StoreError::Corrupt("parent_digest"))?,
            salt: salt.try_into().map_err(|_| StoreError::Corrupt("parent_salt"))?,
        }))
    }

    /// The user beside a family; none if the left join found nobody.
    pub(super) fn owner(&mut self) -> Result<Option<User>, StoreError> {
        let id: Option<&str> = self.next("id")?;
        self.at -= 1;
        id.map(|_| self.user()).transpose()
    }

    pub(super) fn user(&mut self) -> Result<User, StoreError> {
        Ok(User {
            id: self.next("id")?,
            username: self.text("username")?,
            password: self.next::<String>("password")?.into(),
            version: self.number("version")?,
            disabled: self.next("disabled")?,
            reauth: self.next("reauth")?,
            name: self.text("name")?,
            phone: self.next::<Option<_>>("phone")?.map(without_escapes),
            is_manager: self.next("is_manager")?,
            created_at: self.millis("created_at")?,
        })
    }

    pub(super) fn note(&mut self) -> Result<TokenMark, StoreError> {
        let kind: &str = self.next("kind")?;
        let kind = MarkKind::ALL.into_iter().find(|known| known.name() == kind);
        Ok(TokenMark {
            kind: kind.ok_or(StoreError::Corrupt("kind"))?,
            key: self.text("key")?,
            sid: SessionId(self.bytes("sid")?),
            text: self.text("text")?,
            until: self.millis("until")?,
        })
    }

    pub(super) fn entry(&mut self) -> Result<Entry, StoreError> {
        Ok(Entry {
            at: self.millis("at")?,
            action: Action::of_word(self.next("action")?).ok_or(StoreError::Corrupt("action"))?,
            detail: self.next("detail")?,
            session: self.next("session")?,
            user: self.next("account")?,
            address: self.next("address")?,
            left_out: self.millis("left_out")?,
        })
    }
}

pub(super) fn session(row: &SessionFamily) -> Result<Values<'_>, StoreError> {
    let end = row.idle_expires_at.into_iter().chain(row.absolute_expires_at).min();
    let parent = row.parent.as_ref();
    Ok(vec![
        Box::new(&row.sid.0[..]),
        Box::new(&row.user_id),
        Box::new(escaped(&row.client_id)),
        Box::new(row.device_name.as_deref().map(escaped)),
        Box::new(json(&row.status)?),
        Box::new(i64::from(row.generation)),
        Box::new(&row.digest[..]),
        Box::new(parent.map(|parent| &parent.digest[..])),
        Box::new(parent.map(|parent| &parent.salt[..])),
        Box::new(json(&row.ring)?),
        Box::new(i64::from(row.replays)),
        Box::new(row.keyed),
        Box::new(row.seen),
        Box::new(integer(row.auth_time)),
        Box::new(integer(row.created_at)),
        Box::new(integer(row.last_used_at)),
        Box::new(row.idle_expires_at.map(integer)),
        Box::new(row.absolute_expires_at.map(integer)),
        Box::new(i64::from(row.user_version)),
        Box::new(end.map(|end| integer(end - end % HOUR))),
    ])
}

pub(super) fn user(user: &User) -> Values<'_> {
    vec![
        Box::new(&user.id),
        Box::new(escaped(&user.username)),
        Box::new(user.password.expose()),
        Box::new(i64::from(user.version)),
        Box::new(user.disabled),
        Box::new(user.reauth),
        Box::new(escaped(&user.name)),
        Box::new(user.phone.as_deref().map(escaped)),
        Box::new(user.is_manager),
        Box::new(integer(user.created_at)),
    ]
}

pub(super) fn note(note: &TokenMark) -> Values<'_> {
    vec![
        Box::new(note.kind.name()),
        Box::new(escaped(&note.key)),
        Box::new(&note.sid.0[..]),
        Box::new(escaped(&note.text)),
        Box::new(integer(note.until)),
    ]
}

/// A list for each column, which is how one statement takes any number of entries.
pub(super) fn entries(entries: &[Entry]) -> Values<'_> {
    let times = |of: fn(&Entry) -> u64| Box::new(entries.iter().map(|e| integer(of(e))).collect());
    let times: [Box<Vec<i64>>; 2] = [times(|entry| entry.at), times(|entry| entry.left_out)];
    let [at, left_out] = times;
    let texts = |of: fn(&Entry) -> &str| Box::new(entries.iter().map(of).collect::<Vec<&str>>());
    vec![
        at,
        texts(|entry| entry.action.word()),
        texts(|entry| &entry.detail),
        texts(|entry| &entry.session),
        texts(|entry| &entry.user),
        texts(|entry| &entry.address),
        left_out,
    ]
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Corrupt("a record cannot be written"))
}

pub(super) fn integer(time: Millis) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

fn millis(integer: i64) -> Millis {
    integer.max(0).unsigned_abs()
}

/// Postgres takes no zero byte in a text, but a user may write one.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(text);
    }
    let doubled = text.replace(ESCAPE, &format!("{ESCAPE}{ESCAPE}"));
    Cow::Owned(doubled.replace('\0', &format!("{ESCAPE}0")))
}

fn without_escapes(text: String) -> String {
    if !text.contains(ESCAPE) {
        return text;
    }
    let (mut plain, mut letters) = (String::with_capacity(text.len()), text.chars());
    while let Some(letter) = letters.next() {
        let meant = if letter == ESCAPE { letters.next() } else { Some(letter) };
        plain
            .extend(meant.map(|meant| if letter == ESCAPE && meant == '0' { '\0' } else { meant }));
    }
    plain
}

/// Never a letter of any script.
const ESCAPE: char = '\u{10FFFF}';
/// See `schema.rs`: the end of a family that an index holds moves once an hour only.
const HOUR: Millis = 3_600_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_as_it_went() {
        for text in ["", "ann", "a\0b", "\0", "\u{10FFFF}", "\u{10FFFF}0", "\0\u{10FFFF}\0"] {
            assert!(!escaped(text).contains('\0'), "{text:?}");
            assert_eq!(without_escapes(escaped(text).into_owned()), text);
        }
    }
}
