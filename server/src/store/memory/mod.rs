mod maps;

use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::maps::Maps;
use super::{
    Change, MarkKind, Outcome, PasswordChange, Pending, RotationContext, SessionSelector, SignIn,
    SignOut, SignedIn, SignedOut, Store, StoreError, Tables, TokenMark, User, sign_in, sign_out,
    steps,
};
use crate::audit::Entry;
use crate::rotation::{
    Attempt, Millis, RefreshToken, Refusal, Revocation, RotationKey, SessionFamily, SessionId,
    Transition,
};

/// Keeps everything in memory, behind one lock; gone when the process ends.
///
/// Beside the [`Store`] trait it can be used without any runtime, which is what simulations want:
///
/// ```
/// use everfresh_server::rotation::{Pepper, RefreshToken, Rules, SessionId, Transition};
/// use everfresh_server::store::{MemoryStore, RotationContext};
///
/// let terms = RotationContext { pepper: Pepper::new(1, [7; 32]), rules: Rules::default() };
/// let store = MemoryStore::new(terms);
/// let first = store.begin("ann", "web", SessionId([1; 16]), [2; 32], 0);
/// let key = Some("a random rotation key");
/// let outcome = store.refresh_now(&first, key, 1_000, [3; 32]);
/// assert_eq!(outcome.transition, Transition::Rotated);
/// let second = store.encode(&outcome.answer.unwrap().token);
/// assert_eq!(store.refresh_now(&first, key, 2_000, [4; 32]).transition, Transition::Replayed);
/// # assert_ne!(first, second);
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    terms: RotationContext,
    tables: Mutex<Maps>,
}

impl MemoryStore {
    /// An empty one.
    #[must_use]
    pub fn new(terms: RotationContext) -> Self {
        Self { terms, tables: Mutex::default() }
    }

    /// Begins a family for a user, whom it adds if need be; answers with the first refresh token.
    pub fn begin(
        &self,
        user_id: &str,
        client_id: &str,
        sid: SessionId,
        secret: [u8; 32],
        now: Millis,
    ) -> String {
        let token = RefreshToken::first(sid, now, secret);
        let mut row = SessionFamily::opened(&token, user_id.to_owned(), client_id.to_owned());
        row.idle_expires_at = self.terms.rules.idle.map(|idle| now.saturating_add(idle));
        self.open_now(row);
        self.encode(&token)
    }

    /// Begins a family as it is given, for limits of your own; adds its user if need be.
    pub fn open_now(&self, row: SessionFamily) {
        let mut maps = self.lock();
        let now = row.created_at;
        // Maps cannot fail.
        if let Ok(None) = maps.user(&row.user_id) {
            let _ = maps.put_user(nobody(&row.user_id, now));
        }
        let _ = steps::open(&mut *maps, row);
    }

    /// One refresh from text to outcome. A key that is not one counts as none.
    pub fn refresh_now(
        &self,
        token: &str,
        key: Option<&str>,
        now: Millis,
        salt: [u8; 32],
    ) -> Outcome {
        let Ok(token) = RefreshToken::parse(token, &self.terms.pepper) else {
            return Outcome::refuse(Transition::NotAuthentic, Refusal::Malformed);
        };
        let key = key.and_then(RotationKey::parse).map(|key| key.digest());
        let attempt = Attempt { token, key, in_cookie: false, client_id: None, now, salt };
        self.decide_now(&attempt)
    }

    /// The text of a token that this store granted.
    #[must_use]
    pub fn encode(&self, token: &RefreshToken) -> String {
        token.encode(&self.terms.pepper)
    }

    /// A family as it is now.
    #[must_use]
    pub fn row(&self, sid: SessionId) -> Option<SessionFamily> {
        self.lock().row(sid).unwrap_or_default()
    }

    /// Ends families; says how many.
    pub fn end_now(&self, whose: &SessionSelector, why: Revocation) -> usize {
        steps::end(&mut *self.lock(), whose, why).unwrap_or_default().len()
    }

    /// Changes a user.
    pub fn change_user_now(&self, user_id: &str, change: Change) -> Option<User> {
        steps::change_user(&mut *self.lock(), user_id, change).unwrap_or_default()
    }

    /// One refresh.
    pub fn decide_now(&self, attempt: &Attempt) -> Outcome {
        steps::refresh(&mut *self.lock(), attempt, &self.terms)
            .unwrap_or_else(|_| Outcome::refuse(Transition::UnknownOrEnded, Refusal::Unknown))
    }

    fn lock(&self) -> MutexGuard<'_, Maps> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut Maps) -> Result<T, StoreError>,
    ) -> Pending<'_, T> {
        Box::pin(ready(step(&mut self.lock())))
    }
}

impl Store for MemoryStore {
    fn refresh(&self, attempt: Attempt) -> Pending<'_, Outcome> {
        self.step(|maps| steps::refresh(maps, &attempt, &self.terms))
    }

    fn sign_in(&self, sign_in: SignIn) -> Pending<'_, Option<SignedIn>> {
        self.step(|maps| sign_in::sign_in(maps, &sign_in))
    }

    fn change_password(&self, change: PasswordChange) -> Pending<'_, Option<Vec<SessionFamily>>> {
        self.step(|maps| sign_in::change_password(maps, &change))
    }

    fn sign_out(&self, sign_out: SignOut) -> Pending<'_, SignedOut> {
        self.step(|maps| sign_out::sign_out(maps, &sign_out))
    }

    fn open(&self, row: SessionFamily) -> Pending<'_, ()> {
        self.step(|maps| steps::open(maps, row))
    }

    fn session(&self, sid: SessionId) -> Pending<'_, Option<(SessionFamily, User)>> {
        self.step(|maps| steps::session(maps, sid))
    }

    fn end(&self, whose: SessionSelector, why: Revocation) -> Pending<'_, Vec<SessionFamily>> {
        self.step(|maps| steps::end(maps, &whose, why))
    }

    fn mark_seen(&self, sid: SessionId, generation: u32) -> Pending<'_, ()> {
        self.step(|maps| steps::mark_seen(maps, sid, generation))
    }

    fn touch(&self, sid: SessionId, now: Millis, idle: Option<Millis>) -> Pending<'_, ()> {
        self.step(|maps| steps::touch(maps, sid, now, idle))
    }

    fn note(&self, note: TokenMark, now: Millis) -> Pending<'_, ()> {
        self.step(|maps| steps::note(maps, note, now))
    }

    fn noted(&self, kind: MarkKind, key: String, now: Millis) -> Pending<'_, Option<TokenMark>> {
        self.step(|maps| steps::noted(maps, kind, &key, now))
    }

    fn forget(&self, kind: MarkKind, sid: SessionId) -> Pending<'_, Vec<TokenMark>> {
        self.step(|maps| maps.take_marks(kind, sid))
    }

    fn notes(&self, kind: MarkKind, now: Millis) -> Pending<'_, usize> {
        self.step(|maps| Ok(maps.count_notes(kind, now)))
    }

    fn sessions(&self, user_id: Option<String>) -> Pending<'_, Vec<SessionFamily>> {
        self.step(|maps| maps.rows(user_id.as_deref()))
    }

    fn add_user(&self, user: User) -> Pending<'_, bool> {
        self.step(|maps| steps::add_user(maps, user))
    }

    fn user_named(&self, username: String) -> Pending<'_, Option<User>> {
        self.step(|maps| maps.user_named(&username))
    }

    fn change_user(&self, user_id: String, change: Change) -> Pending<'_, Option<User>> {
        self.step(|maps| steps::change_user(maps, &user_id, change))
    }

    fn sweep(&self, before: Millis) -> Pending<'_, usize> {
        self.step(|maps| Ok(maps.sweep(before)))
    }

    fn audit(&self, entries: Vec<Entry>, forget_before: Millis) -> Pending<'_, ()> {
        self.step(|maps| {
            maps.audit(entries, forget_before);
            Ok(())
        })
    }

    fn audited(&self, newest: usize) -> Pending<'_, Vec<Entry>> {
        self.step(|maps| Ok(maps.audited(newest)))
    }

    fn probe(&self) -> Pending<'_, ()> {
        self.step(|_| Ok(()))
    }
}

/// A user who cannot sign in, for families that are begun without a login.
fn nobody(id: &str, now: Millis) -> User {
    User {
        id: id.to_owned(),
        username: id.to_owned(),
        password: "!".into(),
        version: 0,
        disabled: false,
        reauth: false,
        name: id.to_owned(),
        phone: None,
        is_manager: false,
        created_at: now,
    }
}
