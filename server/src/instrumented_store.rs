//! A store that is watched: whatever is done to a session is counted, noted and told.

use std::sync::Arc;
use std::time::Instant;

use crate::audit::{Action, Audit, Entry};
use crate::clock::Clock;
use crate::events::{Event, Events};
use crate::rotation::{Attempt, Millis, Revocation, SessionFamily, SessionId, Status, Transition};
use crate::stats::Stats;
use crate::store::{
    Change, Fence, MarkKind, Outcome, PasswordChange, Pending, SessionSelector, SignIn, SignOut,
    SignedIn, SignedOut, Store, StoreError, TokenMark, User,
};

/// Sits before the real store, so that no route can forget to tell.
#[derive(Debug)]
pub(crate) struct InstrumentedStore {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Clock,
    pub(crate) events: Arc<Events>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) fence: Arc<Fence>,
}

impl InstrumentedStore {
    async fn timed<T>(&self, step: &'static str, work: Pending<'_, T>) -> Result<T, StoreError> {
        let began = Instant::now();
        let done = match self.fence.pass() {
            Ok(()) => work.await,
            Err(closed) => Err(closed),
        };
        self.stats.step(step, began.elapsed(), done.is_ok());
        done
    }

    fn ended(&self, reason: &str, row: &SessionFamily) {
        let at = self.clock.now();
        self.audit.note(at, Action::Ended, reason, row.sid, &row.user_id);
        self.publish(reason, None, row.sid);
    }

    fn publish(&self, reason: &str, jti: Option<String>, sid: SessionId) {
        let (sid, reason, at) = (sid.to_string(), reason.to_owned(), self.clock.now());
        self.events.publish(Event { jti, sid, reason, at });
    }

    fn told(&self, sid: SessionId, outcome: &Outcome) {
        let action = match &outcome.answer {
            Ok(_) => Action::Renewed,
            // Of a session that is long over nothing new is to be told.
            Err(_) if outcome.transition == Transition::UnknownOrEnded => return,
            Err(_) => Action::Refused,
        };
        let user = outcome.family.as_ref().map_or("", |row| row.user_id.as_str());
        self.audit.note(self.clock.now(), action, outcome.transition.name(), sid, user);
        self.all_ended(&outcome.ended);
    }

    fn all_ended(&self, rows: &[SessionFamily]) {
        for row in rows {
            self.ended(&reason(row.status), row);
        }
    }

    fn began(&self, row: &SessionFamily) {
        self.audit.note(self.clock.now(), Action::Created, "sign-in", row.sid, &row.user_id);
    }

    /// A token that is admitted no longer is told by its own name.
    fn forgotten(&self, notes: &[TokenMark]) {
        for note in notes.iter().filter(|note| note.kind == MarkKind::Allowed) {
            self.publish("revoked", Some(note.key.clone()), note.sid);
        }
    }
}

impl Store for InstrumentedStore {
    fn refresh(&self, attempt: Attempt) -> Pending<'_, Outcome> {
        Box::pin(async move {
            let sid = attempt.token.sid;
            let outcome = self.timed("refresh", self.store.refresh(attempt)).await?;
            self.told(sid, &outcome);
            Ok(outcome)
        })
    }

    fn sign_in(&self, sign_in: SignIn) -> Pending<'_, Option<SignedIn>> {
        Box::pin(async move {
            let done = self.timed("sign_in", self.store.sign_in(sign_in)).await?;
            if let Some(SignedIn { row, ended, .. }) = &done {
                self.all_ended(ended);
                self.began(row);
            }
            Ok(done)
        })
    }

    fn change_password(&self, change: PasswordChange) -> Pending<'_, Option<Vec<SessionFamily>>> {
        Box::pin(async move {
            let step = self.store.change_password(change);
            let ended = self.timed("change_password", step).await?;
            self.all_ended(ended.as_deref().unwrap_or_default());
            Ok(ended)
        })
    }

    fn sign_out(&self, sign_out: SignOut) -> Pending<'_, SignedOut> {
        Box::pin(async move {
            let done = self.timed("sign_out", self.store.sign_out(sign_out)).await?;
            self.all_ended(&done.ended);
            self.forgotten(&done.forgotten);
            Ok(done)
        })
    }

    fn open(&self, row: SessionFamily) -> Pending<'_, ()> {
        Box::pin(async move {
            self.timed("open", self.store.open(row.clone())).await?;
            self.began(&row);
            Ok(())
        })
    }

    fn session(&self, sid: SessionId) -> Pending<'_, Option<(SessionFamily, User)>> {
        Box::pin(self.timed("session", self.store.session(sid)))
    }

    fn end(&self, whose: SessionSelector, why: Revocation) -> Pending<'_, Vec<SessionFamily>> {
        Box::pin(async move {
            let ended = self.timed("end", self.store.end(whose, why)).await?;
            self.all_ended(&ended);
            Ok(ended)
        })
    }

    fn mark_seen(&self, sid: SessionId, generation: u32) -> Pending<'_, ()> {
        Box::pin(self.timed("mark_seen", self.store.mark_seen(sid, generation)))
    }

    fn touch(&self, sid: SessionId, now: Millis, idle: Option<Millis>) -> Pending<'_, ()> {
        Box::pin(self.timed("touch", self.store.touch(sid, now, idle)))
    }

    fn note(&self, note: TokenMark, now: Millis) -> Pending<'_, ()> {
        Box::pin(self.timed("note", self.store.note(note, now)))
    }

    fn noted(&self, kind: MarkKind, key: String, now: Millis) -> Pending<'_, Option<TokenMark>> {
        Box::pin(self.timed("noted", self.store.noted(kind, key, now)))
    }

    fn forget(&self, kind: MarkKind, sid: SessionId) -> Pending<'_, Vec<TokenMark>> {
        Box::pin(async move {
            let notes = self.timed("forget", self.store.forget(kind, sid)).await?;
            self.forgotten(&notes);
            Ok(notes)
        })
    }

    fn notes(&self, kind: MarkKind, now: Millis) -> Pending<'_, usize> {
        Box::pin(self.timed("notes", self.store.notes(kind, now)))
    }

    fn sessions(&self, user_id: Option<String>) -> Pending<'_, Vec<SessionFamily>> {
        Box::pin(self.timed("sessions", self.store.sessions(user_id)))
    }

    fn add_user(&self, user: User) -> Pending<'_, bool> {
        Box::pin(self.timed("add_user", self.store.add_user(user)))
    }

    fn user_named(&self, username: String) -> Pending<'_, Option<User>> {
        Box::pin(self.timed("user_named", self.store.user_named(username)))
    }

    /// A user who is locked out loses the access tokens at once, so gateways hear of it.
    fn change_user(&self, user_id: String, change: Change) -> Pending<'_, Option<User>> {
        Box::pin(async move {
            let locked = change.disabled == Some(true);
            let step = self.store.change_user(user_id.clone(), change);
            let user = self.timed("change_user", step).await?;
            if locked {
                let rows = self.store.sessions(Some(user_id)).await?;
                for row in rows.iter().filter(|row| row.status == Status::Active) {
                    self.publish(&reason(Status::Revoked(Revocation::Admin)), None, row.sid);
                }
            }
            Ok(user)
        })
    }

    fn sweep(&self, before: Millis) -> Pending<'_, usize> {
        Box::pin(self.timed("sweep", self.store.sweep(before)))
    }

    fn audit(&self, entries: Vec<Entry>, forget_before: Millis) -> Pending<'_, ()> {
        Box::pin(self.timed("audit", self.store.audit(entries, forget_before)))
    }

    fn audited(&self, newest: usize) -> Pending<'_, Vec<Entry>> {
        Box::pin(self.timed("audited", self.store.audited(newest)))
    }

    fn keys(&self) -> Pending<'_, Option<Vec<u8>>> {
        self.store.keys()
    }

    fn swap_keys(&self, old: Option<Vec<u8>>, new: Vec<u8>) -> Pending<'_, bool> {
        Box::pin(self.timed("swap_keys", self.store.swap_keys(old, new)))
    }

    fn probe(&self) -> Pending<'_, ()> {
        Box::pin(self.timed("probe", self.store.probe()))
    }
}

/// The word that the store itself uses.
fn reason(status: Status) -> String {
    let word = match status {
        Status::Active => return "active".to_owned(),
        Status::Revoked(why) => serde_json::to_value(why),
        Status::Expired(why) => serde_json::to_value(why),
    };
    word.ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
