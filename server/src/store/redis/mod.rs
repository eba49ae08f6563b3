mod keys;
mod link;
mod record;
mod snapshot;
mod transact;
mod upkeep;

use std::sync::Arc;

use redis::{Script, cmd};

use self::link::Link;
use self::snapshot::{Snapshot, Want};
use super::{
    Change, MarkKind, Outcome, PasswordChange, Pending, RotationContext, SessionSelector,
    SharedStore, SignIn, SignOut, SignedIn, SignedOut, Store, StoreError, Tables, TokenMark, User,
    sign_in, sign_out, steps,
};
use crate::audit::Entry;
use crate::rotation::{Attempt, Millis, Revocation, SessionFamily, SessionId};

/// Keeps everything in Redis or Valkey, which any number of server processes may share.
///
/// A step reads what it needs, decides here, and commits by one script, which writes only if
/// nothing that was read has changed meanwhile; otherwise the step begins again. So the rules of
/// rotation are the same code as in the other stores, and Redis needs to know none of them.
#[derive(Debug)]
pub struct RedisStore {
    terms: RotationContext,
    link: Link,
    scripts: Scripts,
}

#[derive(Debug)]
struct Scripts {
    family: Script,
    commit: Script,
    sweep: Script,
    audit: Script,
    swap: Script,
}

impl RedisStore {
    /// A store at an address like `redis://:password@127.0.0.1:6379/0`, or `rediss://...` for TLS;
    /// connects on first use.
    pub fn at(url: &str, terms: RotationContext) -> Result<Self, StoreError> {
        Self::over(Link::to(url, None)?, terms)
    }

    /// A store at a `rediss://` address whose certificate must lead to one of the certificate
    /// authorities in a PEM text, and not to those that the operating system trusts.
    pub fn trusting(url: &str, pem: &[u8], terms: RotationContext) -> Result<Self, StoreError> {
        Self::over(Link::to(url, Some(pem))?, terms)
    }

    fn over(link: Link, terms: RotationContext) -> Result<Self, StoreError> {
        let scripts = Scripts {
            family: Script::new(include_str!("family.lua")),
            commit: Script::new(include_str!("commit.lua")),
            sweep: Script::new(include_str!("sweep.lua")),
            audit: Script::new(include_str!("audit.lua")),
            swap: Script::new(include_str!("swap.lua")),
        };
        Ok(Self { terms, link, scripts })
    }
}

impl SharedStore for RedisStore {
    fn name(&self) -> &'static str {
        "Redis"
    }

    fn address(&self) -> String {
        self.link.address()
    }

    fn config_warnings(&self) -> Pending<'_, Vec<&'static str>> {
        Box::pin(self.warnings())
    }

    fn under(self: Box<Self>, terms: RotationContext) -> Arc<dyn Store> {
        Arc::new(Self { terms, ..*self })
    }
}

impl Store for RedisStore {
    fn refresh(&self, attempt: Attempt) -> Pending<'_, Outcome> {
        Box::pin(async move {
            let want = Want::Family(attempt.token.sid);
            self.transact(want, |tables| steps::refresh(tables, &attempt, &self.terms)).await
        })
    }

    fn sign_in(&self, sign_in: SignIn) -> Pending<'_, Option<SignedIn>> {
        let want = Want::Record(keys::user(&sign_in.row.user_id));
        Box::pin(self.transact(want, move |tables| sign_in::sign_in(tables, &sign_in)))
    }

    fn change_password(&self, change: PasswordChange) -> Pending<'_, Option<Vec<SessionFamily>>> {
        let want = Want::Record(keys::user(&change.user_id));
        Box::pin(self.transact(want, move |tables| sign_in::change_password(tables, &change)))
    }

    fn sign_out(&self, sign_out: SignOut) -> Pending<'_, SignedOut> {
        let want = Want::Family(sign_out.sid);
        Box::pin(self.transact(want, move |tables| sign_out::sign_out(tables, &sign_out)))
    }

    fn open(&self, row: SessionFamily) -> Pending<'_, ()> {
        let want = Want::Record(keys::user(&row.user_id));
        Box::pin(self.transact(want, move |tables| steps::open(tables, row.clone())))
    }

    fn session(&self, sid: SessionId) -> Pending<'_, Option<(SessionFamily, User)>> {
        Box::pin(self.transact(Want::Family(sid), move |tables| steps::session(tables, sid)))
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

    fn sessions(&self, user_id: Option<String>) -> Pending<'_, Vec<SessionFamily>> {
        let want = Want::Listing(user_id.clone());
        Box::pin(self.transact(want, move |tables| tables.rows(user_id.as_deref())))
    }

    fn add_user(&self, user: User) -> Pending<'_, bool> {
        let want = Want::Record(keys::name(&user.username));
        Box::pin(self.transact(want, move |tables| steps::add_user(tables, user.clone())))
    }

    fn user_named(&self, username: String) -> Pending<'_, Option<User>> {
        let want = Want::Record(keys::name(&username));
        Box::pin(self.transact(want, move |tables| tables.user_named(&username)))
    }

    fn change_user(&self, user_id: String, change: Change) -> Pending<'_, Option<User>> {
        let want = Want::Record(keys::user(&user_id));
        let step =
            move |tables: &mut Snapshot| steps::change_user(tables, &user_id, change.clone());
        Box::pin(self.transact(want, step))
    }

    fn touch(&self, sid: SessionId, now: Millis, idle: Option<Millis>) -> Pending<'_, ()> {
        let step = move |tables: &mut Snapshot| steps::touch(tables, sid, now, idle);
        Box::pin(self.transact(Want::Family(sid), step))
    }

    fn note(&self, note: TokenMark, now: Millis) -> Pending<'_, ()> {
        Box::pin(self.write_mark(note, now))
    }

    fn noted(&self, kind: MarkKind, key: String, now: Millis) -> Pending<'_, Option<TokenMark>> {
        let want = Want::Record(keys::note(kind, &key));
        Box::pin(self.transact(want, move |tables| steps::noted(tables, kind, &key, now)))
    }

    fn forget(&self, kind: MarkKind, sid: SessionId) -> Pending<'_, Vec<TokenMark>> {
        let step = move |tables: &mut Snapshot| tables.take_marks(kind, sid);
        Box::pin(self.transact(Want::Notes(kind, sid), step))
    }

    fn notes(&self, kind: MarkKind, now: Millis) -> Pending<'_, usize> {
        Box::pin(async move {
            let mut count = cmd("ZCOUNT");
            count.arg(keys::notes(kind)).arg(format!("({now}")).arg("+inf");
            let mut line = self.link.line().await?;
            let answer = count.query_async(&mut line.connection).await;
            self.link.heard(&line, answer)
        })
    }

    fn sweep(&self, before: Millis) -> Pending<'_, usize> {
        Box::pin(async move {
            let index = [keys::SESSIONS, keys::SESSION, keys::SESSIONS_OF].map(str::to_owned);
            self.drop_due(format!("({before}"), &[index]).await
        })
    }

    fn audit(&self, entries: Vec<Entry>, forget_before: Millis) -> Pending<'_, ()> {
        Box::pin(self.write_audit(entries, forget_before))
    }

    fn audited(&self, newest: usize) -> Pending<'_, Vec<Entry>> {
        Box::pin(self.read_audit(newest))
    }

    fn keys(&self) -> Pending<'_, Option<Vec<u8>>> {
        Box::pin(async {
            let mut line = self.link.line().await?;
            let answer = cmd("GET").arg(keys::KEYRING).query_async(&mut line.connection).await;
            self.link.heard(&line, answer)
        })
    }

    fn swap_keys(&self, old: Option<Vec<u8>>, new: Vec<u8>) -> Pending<'_, bool> {
        Box::pin(async move {
            let mut call = self.scripts.swap.key(keys::KEYRING);
            call.arg(new).arg(old);
            let mut line = self.link.line().await?;
            let answer = call.invoke_async(&mut line.connection).await;
            self.link.heard(&line, answer)
        })
    }

    fn probe(&self) -> Pending<'_, ()> {
        Box::pin(async {
            let mut line = self.link.line().await?;
            let mut write = cmd("SET");
            write.arg(keys::PROBE).arg(1).arg("EX").arg(60);
            let answer = write.query_async(&mut line.connection).await;
            self.link.heard(&line, answer)
        })
    }
}

/// So many records are read, or dropped, by one command.
const CHUNK: usize = 500;
