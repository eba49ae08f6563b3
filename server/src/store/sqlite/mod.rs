mod audit;
mod direct;
mod schema;
mod statements;
mod tables;
mod worker;

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use self::direct::Direct;
use self::tables::SqliteTables;
use self::worker::Worker;
use super::{
    Change, MarkKind, Outcome, PasswordChange, Pending, RotationContext, SessionSelector, SignIn,
    SignOut, SignedIn, SignedOut, Store, StoreError, Tables, TokenMark, User, sign_in, sign_out,
    steps,
};
use crate::audit::Entry;
use crate::rotation::{Attempt, Millis, Revocation, SessionFamily, SessionId};

/// Keeps everything in one SQLite file, durable before it answers.
///
/// One thread writes. It takes all steps that wait and commits them together, so that under load
/// many refreshes share one flush to the disk. Another thread reads, but for what a row or two tell:
/// that the caller reads by itself.
#[derive(Debug)]
pub struct SqliteStore {
    terms: Arc<RotationContext>,
    /// Closed before the others, for the last one puts the file in order and these may not write.
    direct: Direct,
    writer: Worker,
    reader: Worker,
    /// Released when the process ends, however it ends.
    _lock: Option<File>,
}

impl SqliteStore {
    /// Every statement by name, for those who want to ask SQLite how it is planned.
    pub const STATEMENTS: &[(&str, &str)] = statements::ALL;

    /// Opens a file for the one server process that may use it, making it if need be.
    pub fn open(path: &Path, terms: RotationContext) -> Result<Self, StoreError> {
        let lock = lock(path)?;
        let store = Self::beside(path, terms)?;
        Ok(Self { _lock: Some(lock), direct: Direct::open(path)?, ..store })
    }

    /// Opens a file for a command, which may run beside a server.
    pub fn beside(path: &Path, terms: RotationContext) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        make_private(path)?;
        let writer = connect(path, flags)?;
        writer.pragma_update(None, "journal_mode", "wal")?;
        writer.pragma_update(None, "synchronous", "full")?;
        schema::migrate(&writer)?;
        let reader = connect(path, flags)?;
        reader.pragma_update(None, "query_only", true)?;
        Self::of(terms, writer, reader)
    }

    /// Opens a file that another process may be using, in order to look at it: every step that would
    /// write fails.
    pub fn read_only(path: &Path, terms: RotationContext) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let reader = connect(path, flags)?;
        if !schema::missing(&reader)?.1.is_empty() {
            let why =
                "an older server wrote the file; start this one once, which brings it up to date";
            return Err(StoreError::Sqlite(why.to_owned()));
        }
        Self::of(terms, connect(path, flags)?, reader)
    }

    fn of(
        terms: RotationContext,
        writer: Connection,
        reader: Connection,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            terms: Arc::new(terms),
            writer: Worker::writing(writer)?,
            reader: Worker::reading(reader)?,
            direct: Direct::none(),
            _lock: None,
        })
    }

    fn write<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut SqliteTables<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<'_, T> {
        Box::pin(self.writer.run(step))
    }

    /// A write that has no part in any decision, and so none in the tests of how those end.
    fn keep_up<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut SqliteTables<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<'_, T> {
        Box::pin(self.writer.keep_up(step))
    }

    fn read<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut SqliteTables<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<'_, T> {
        Box::pin(self.reader.run(step))
    }

    /// A read of a row or two, without the thread if that can be.
    fn look<T: Send + 'static>(
        &self,
        step: impl Fn(&mut SqliteTables<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<'_, T> {
        Box::pin(async move {
            match self.direct.read(&step) {
                Some(found) => Ok(found),
                None => self.reader.run(step).await,
            }
        })
    }
}

impl Store for SqliteStore {
    fn refresh(&self, attempt: Attempt) -> Pending<'_, Outcome> {
        let terms = Arc::clone(&self.terms);
        self.write(move |tables| steps::refresh(tables, &attempt, &terms))
    }

    fn sign_in(&self, sign_in: SignIn) -> Pending<'_, Option<SignedIn>> {
        self.write(move |tables| sign_in::sign_in(tables, &sign_in))
    }

    fn change_password(&self, change: PasswordChange) -> Pending<'_, Option<Vec<SessionFamily>>> {
        self.write(move |tables| sign_in::change_password(tables, &change))
    }

    fn sign_out(&self, sign_out: SignOut) -> Pending<'_, SignedOut> {
        self.write(move |tables| sign_out::sign_out(tables, &sign_out))
    }

    fn open(&self, row: SessionFamily) -> Pending<'_, ()> {
        self.write(|tables| steps::open(tables, row))
    }

    fn session(&self, sid: SessionId) -> Pending<'_, Option<(SessionFamily, User)>> {
        self.look(move |tables| steps::session(tables, sid))
    }

    fn end(&self, whose: SessionSelector, why: Revocation) -> Pending<'_, Vec<SessionFamily>> {
        self.write(move |tables| steps::end(tables, &whose, why))
    }

    fn mark_seen(&self, sid: SessionId, generation: u32) -> Pending<'_, ()> {
        self.write(move |tables| steps::mark_seen(tables, sid, generation))
    }

    fn touch(&self, sid: SessionId, now: Millis, idle: Option<Millis>) -> Pending<'_, ()> {
        self.write(move |tables| steps::touch(tables, sid, now, idle))
    }

    fn note(&self, note: TokenMark, now: Millis) -> Pending<'_, ()> {
        self.write(move |tables| steps::note(tables, note, now))
    }

    fn noted(&self, kind: MarkKind, key: String, now: Millis) -> Pending<'_, Option<TokenMark>> {
        self.look(move |tables| steps::noted(tables, kind, &key, now))
    }

    fn forget(&self, kind: MarkKind, sid: SessionId) -> Pending<'_, Vec<TokenMark>> {
        self.write(move |tables| tables.take_marks(kind, sid))
    }

    fn notes(&self, kind: MarkKind, now: Millis) -> Pending<'_, usize> {
        self.read(move |tables| tables.count_notes(kind, now))
    }

    fn sessions(&self, user_id: Option<String>) -> Pending<'_, Vec<SessionFamily>> {
        self.read(move |tables| tables.rows(user_id.as_deref()))
    }

    fn add_user(&self, user: User) -> Pending<'_, bool> {
        self.write(|tables| steps::add_user(tables, user))
    }

    fn user_named(&self, username: String) -> Pending<'_, Option<User>> {
        self.read(move |tables| tables.user_named(&username))
    }

    fn change_user(&self, user_id: String, change: Change) -> Pending<'_, Option<User>> {
        self.write(move |tables| steps::change_user(tables, &user_id, change))
    }

    fn sweep(&self, before: Millis) -> Pending<'_, usize> {
        self.keep_up(move |tables| tables.sweep(before))
    }

    fn audit(&self, entries: Vec<Entry>, forget_before: Millis) -> Pending<'_, ()> {
        self.keep_up(move |tables| tables.audit(&entries, forget_before))
    }

    fn audited(&self, newest: usize) -> Pending<'_, Vec<Entry>> {
        self.read(move |tables| tables.audited(newest))
    }

    fn probe(&self) -> Pending<'_, ()> {
        self.keep_up(|tables| tables.probe())
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error.to_string())
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// SQLite makes files that anybody may read, so an empty one is put there first.
fn make_private(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let wrong = |error| StoreError::Sqlite(format!("{}: {error}", path.display()));
    options.open(path).map_err(wrong)
}

/// A file beside the database, because SQLite's own locks end when any connection closes the database. It is
/// beside the database itself, whatever links lead there.
fn lock(path: &Path) -> Result<File, StoreError> {
    if !path.exists() {
        make_private(path)?;
    }
    let wrong = |error| StoreError::Sqlite(format!("{}: {error}", path.display()));
    let mut name = path.canonicalize().map_err(wrong)?.into_os_string();
    name.push("-lock");
    let file = make_private(Path::new(&name))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Sqlite(format!(
            "{} is in use by another server process: stop that one or name another file; processes \
             that share their sessions need a --store at postgres:// or redis://",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => {
            Err(StoreError::Sqlite(format!("{}: {error}", Path::new(&name).display())))
        }
    }
}
