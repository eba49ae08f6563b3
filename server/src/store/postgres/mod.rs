mod link;
mod records;
mod schema;
mod snapshot;
mod statements;
mod tls;
mod transact;
mod trouble;

use std::sync::Arc;

use self::link::Link;
use self::records::{Reader, entries, escaped, integer, note};
use self::snapshot::{Snapshot, Want};
use super::{
    Change, MarkKind, Outcome, PasswordChange, Pending, RotationContext, SessionSelector,
    SharedStore, SignIn, SignOut, SignedIn, SignedOut, Store, StoreError, Tables, TokenMark, User,
    sign_in, sign_out, steps,
};
use crate::audit::Entry;
use crate::rotation::{Attempt, Millis, Revocation, SessionFamily, SessionId};

/// Keeps everything in Postgres, in a schema of its own, which any number of server processes may
/// share.
///
/// A step is one serialisable transaction: it reads what it needs, decides here, and writes. Where
/// Postgres finds that two steps were in each other's way, the later one begins again. So the rules
/// of rotation are the same code as in the other stores.
#[derive(Debug)]
pub struct PostgresStore {
    terms: RotationContext,
    link: Link,
}

impl PostgresStore {
    /// Every statement by name, for those who want to ask Postgres how it is planned.
    pub const STATEMENTS: &[(&str, &str)] = statements::ALL;

    /// A store at an address like `postgres://user:password@host:5432/database`; connects on first
    /// use. To another machine it goes over TLS, unless the address ends with `?sslmode=disable`, and
    /// the certificate must lead to one of `authorities`, in PEM, or else to one that the operating
    /// system trusts.
    pub fn at(
        url: &str,
        authorities: Option<&[u8]>,
        terms: RotationContext,
    ) -> Result<Self, StoreError> {
        Ok(Self { terms, link: Link::to(url, authorities)? })
    }

    /// The same, with its tables made or brought up to date.
    pub async fn open(
        url: &str,
        authorities: Option<&[u8]>,
        terms: RotationContext,
    ) -> Result<Self, StoreError> {
        let store = Self::at(url, authorities, terms)?;
        store.migrate().await?;
        Ok(store)
    }
}

impl SharedStore for PostgresStore {
    fn name(&self) -> &'static str {
        "Postgres"
    }

    fn address(&self) -> String {
        self.link.address().to_owned()
    }

    fn migrate(&self) -> Pending<'_, ()> {
        Box::pin(async move {
            let line = self.link.line().await?;
            schema::migrate(line.client()?).await?;
            line.keep();
            Ok(())
        })
    }

    fn is_up_to_date(&self) -> Pending<'_, ()> {
        Box::pin(async move {
            let line = self.link.line().await?;
            schema::check(line.client()?).await?;
            line.keep();
            Ok(())
        })
    }

    fn config_warnings(&self) -> Pending<'_, Vec<&'static str>> {
        Box::pin(async move {
            let found = self.query(statements::SETTINGS, &[]).await?;
            let Some(columns) = found.first() else { return Ok(Vec::new()) };
            let mut reader = Reader::of(columns);
            let mut warnings = Vec::new();
            for (setting, warning) in SETTINGS {
                if reader.next::<&str>(setting)? == "off" {
                    warnings.push(warning);
                }
            }
            Ok(warnings)
        })
    }

    fn under(self: Box<Self>, terms: RotationContext) -> Arc<dyn Store> {
        Arc::new(Self { terms, ..*self })
    }
}

impl Store for PostgresStore {
    fn refresh(&self, attempt: Attempt) -> Pending<'_, Outcome> {
        Box::pin(async move {
            let want = Want::Family(attempt.token.sid);
            self.transact(want, |tables| steps::refresh(tables, &attempt, &self.terms)).await
        })
    }

    fn sign_in(&self, sign_in: SignIn) -> Pending<'_, Option<SignedIn>> {
        let want = Want::User(sign_in.row.user_id.clone());
        Box::pin(self.transact(want, move |tables| sign_in::sign_in(tables, &sign_in)))
    }

    fn change_password(&self, change: PasswordChange) -> Pending<'_, Option<Vec<SessionFamily>>> {
        let want = Want::User(change.user_id.clone());
        Box::pin(self.transact(want, move |tables| sign_in::change_password(tables, &change)))
    }

    fn sign_out(&self, sign_out: SignOut) -> Pending<'_, SignedOut> {
        let want = Want::Family(sign_out.sid);
        Box::pin(self.transact(want, move |tables| sign_out::sign_out(tables, &sign_out)))
    }

    fn open(&self, row: SessionFamily) -> Pending<'_, ()> {
        let want = Want::User(row.user_id.clone());
        Box::pin(self.transact(want, move |tables| steps::open(tables, row.clone())))
    }

    fn session(&self, sid: SessionId) -> Pending<'_, Option<(SessionFamily, User)>> {
        Box::pin(async move {
            let found = self.query(statements::FAMILY, &[&&sid.0[..]]).await?;
            let Some(columns) = found.first() else { return Ok(None) };
            let mut reader = Reader::of(columns);
            let row = reader.session()?;
            Ok(reader.owner()?.map(|user| (row, user)))
        })
    }

    fn end(&self, whose: SessionSelector, why: Revocation) -> Pending<'_, Vec<SessionFamily>> {
        let want = match &whose {
            SessionSelector::Session(sid) | SessionSelector::SessionOf(_, sid) => {
                Want::Family(*sid)
            }
            SessionSelector::User(user_id, _) => Want::Listing(Some(user_id.clone())),
        };
        Box::pin(self.transact(want, move |tables| steps::end(tables, &whose, why)))
    }

    fn mark_seen(&self, sid: SessionId, generation: u32) -> Pending<'_, ()> {
        let step = move |tables: &mut Snapshot| steps::mark_seen(tables, sid, generation);
        Box::pin(self.transact(Want::Family(sid), step))
    }

    fn touch(&self, sid: SessionId, now: Millis, idle: Option<Millis>) -> Pending<'_, ()> {
        let step = move |tables: &mut Snapshot| steps::touch(tables, sid, now, idle);
        Box::pin(self.transact(Want::Family(sid), step))
    }

    /// Two statements, each of them whole by itself: what expires has no part in any decision.
    fn note(&self, written: TokenMark, now: Millis) -> Pending<'_, ()> {
        Box::pin(async move {
            self.execute(statements::DROP_NOTES, &vec![Box::new(integer(now))]).await?;
            self.execute(statements::PUT_NOTE, &note(&written)).await.map(drop)
        })
    }

    fn noted(&self, kind: MarkKind, key: String, now: Millis) -> Pending<'_, Option<TokenMark>> {
        Box::pin(async move {
            let found = self.query(statements::NOTE, &[&kind.name(), &escaped(&key)]).await?;
            let note = found.first().map(|columns| Reader::of(columns).note()).transpose()?;
            Ok(note.filter(|note| note.until > now))
        })
    }

    fn forget(&self, kind: MarkKind, sid: SessionId) -> Pending<'_, Vec<TokenMark>> {
        let step = move |tables: &mut Snapshot| tables.take_marks(kind, sid);
        Box::pin(self.transact(Want::Notes(kind, sid), step))
    }

    fn notes(&self, kind: MarkKind, now: Millis) -> Pending<'_, usize> {
        Box::pin(async move {
            let values = [&kind.name() as _, &integer(now) as _];
            let found = self.query(statements::COUNT_NOTES, &values).await?;
            let count = found.first().map(|columns| Reader::of(columns).next::<i64>("count"));
            Ok(usize::try_from(count.transpose()?.unwrap_or_default()).unwrap_or_default())
        })
    }

    fn sessions(&self, user_id: Option<String>) -> Pending<'_, Vec<SessionFamily>> {
        Box::pin(async move {
            let found = match &user_id {
                Some(id) => self.query(statements::SESSIONS_OF_USER, &[id]).await?,
                None => self.query(statements::EVERY_SESSION, &[]).await?,
            };
            found.iter().map(|columns| Reader::of(columns).session()).collect()
        })
    }

    fn add_user(&self, user: User) -> Pending<'_, bool> {
        let want = Want::Named(user.username.clone());
        Box::pin(self.transact(want, move |tables| steps::add_user(tables, user.clone())))
    }

    fn user_named(&self, username: String) -> Pending<'_, Option<User>> {
        Box::pin(async move {
            let found = self.query(statements::USER_NAMED, &[&escaped(&username)]).await?;
            found.first().map(|columns| Reader::of(columns).user()).transpose()
        })
    }

    fn change_user(&self, user_id: String, change: Change) -> Pending<'_, Option<User>> {
        let want = Want::User(user_id.clone());
        let step =
            move |tables: &mut Snapshot| steps::change_user(tables, &user_id, change.clone());
        Box::pin(self.transact(want, step))
    }

    fn sweep(&self, before: Millis) -> Pending<'_, usize> {
        Box::pin(async move {
            let swept = self.execute(statements::SWEEP, &vec![Box::new(integer(before))]).await?;
            Ok(usize::try_from(swept).unwrap_or(usize::MAX))
        })
    }

    fn audit(&self, written: Vec<Entry>, forget_before: Millis) -> Pending<'_, ()> {
        Box::pin(async move {
            // What is forgotten goes first: entries that were written are never written again.
            let before: Vec<Box<_>> = vec![Box::new(integer(forget_before)) as _];
            self.execute(statements::FORGET_AUDIT, &before).await?;
            self.execute(statements::PUT_AUDIT, &entries(&written)).await.map(drop)
        })
    }

    fn audited(&self, newest: usize) -> Pending<'_, Vec<Entry>> {
        Box::pin(async move {
            let newest = i64::try_from(newest).unwrap_or(i64::MAX);
            let found = self.query(statements::NEWEST_AUDIT, &[&newest]).await?;
            found.iter().map(|columns| Reader::of(columns).entry()).collect()
        })
    }

    fn keys(&self) -> Pending<'_, Option<Vec<u8>>> {
        Box::pin(async {
            let found = self.query(statements::KEYRING, &[]).await?;
            found.first().map(|columns| Reader::of(columns).next("content")).transpose()
        })
    }

    fn swap_keys(&self, old: Option<Vec<u8>>, new: Vec<u8>) -> Pending<'_, bool> {
        Box::pin(async move {
            let swapped = match old {
                None => self.execute(statements::FIRST_KEYRING, &vec![Box::new(new)]).await?,
                Some(old) => {
                    let values: records::Values<'_> = vec![Box::new(new), Box::new(old)];
                    self.execute(statements::SWAP_KEYRING, &values).await?
                }
            };
            Ok(swapped > 0)
        })
    }

    fn probe(&self) -> Pending<'_, ()> {
        Box::pin(async { self.execute(statements::PROBE, &Vec::new()).await.map(drop) })
    }
}

/// What must not be off, in the order of the statement.
const SETTINGS: [(&str, &str); 3] = [
    ("fsync", "a power cut can destroy the whole database: set fsync = on"),
    ("full_page_writes", "a power cut can tear pages: set full_page_writes = on"),
    ("synchronous_commit", "a crash takes the last refreshes with it: set synchronous_commit = on"),
];
