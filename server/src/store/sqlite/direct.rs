use std::path::Path;
use std::sync::Mutex;
use std::thread::available_parallelism;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::worker::whole;
use super::{SqliteTables, StoreError, connect};

/// Connections for questions that a row or two answer: handing them to a thread and back costs more
/// than looking. Each caller looks by itself.
///
/// There are fewer than threads that serve requests, so a disk that is slow to read holds up some of
/// them and never all.
#[derive(Debug)]
pub(super) struct Direct(Vec<Mutex<Connection>>);

impl Direct {
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let threads = available_parallelism().map_or(1, usize::from);
        Self::of(path, (threads - 1).min(MOST))
    }

    fn of(path: &Path, count: usize) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = || {
            let connection = connect(path, flags)?;
            // The caller can wait elsewhere.
            connection.busy_timeout(Duration::ZERO)?;
            Ok(Mutex::new(connection))
        };
        (0..count).map(|_| connection()).collect::<Result<_, StoreError>>().map(Self)
    }

    /// Does a step that only reads, on what has been committed by now. Nothing comes of it when no
    /// connection is free or the step fails.
    pub(super) fn read<T>(
        &self,
        step: impl FnOnce(&mut SqliteTables<'_>) -> Result<T, StoreError>,
    ) -> Option<T> {
        let connection = self.0.iter().find_map(|connection| connection.try_lock().ok())?;
        // One that was left in the midst of a step would show what was true then.
        if !connection.is_autocommit() {
            return None;
        }
        whole(&connection, step).ok()
    }
}

/// Each has a cache of its own.
const MOST: usize = 4;

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use super::*;

    #[test]
    fn shows_what_is_committed_and_never_waits() {
        let path = env::temp_dir().join(format!("everfresh-direct-{}.db", process::id()));
        let _ = fs::remove_file(&path);
        let writer = Connection::open(&path).unwrap();
        writer.pragma_update(None, "journal_mode", "wal").unwrap();
        let direct = Direct::of(&path, 1).unwrap();
        let version = || {
            direct.read(|tables| {
                assert_eq!(direct.read(|_| Ok(())), None, "the only one is in use");
                tables.version()
            })
        };
        assert_eq!(version(), Some(0));
        for number in 1..50 {
            writer.pragma_update(None, "user_version", number).unwrap();
            assert_eq!(version(), Some(number));
            writer.execute_batch("BEGIN IMMEDIATE; PRAGMA user_version = 99").unwrap();
            assert_eq!(version(), Some(number));
            writer.execute_batch("ROLLBACK").unwrap();
        }

        assert_eq!(direct.read(|_| Err::<(), _>(StoreError::Closed)), None);
        writer.pragma_update(None, "user_version", 60).unwrap();
        assert_eq!(version(), Some(60), "one that has failed serves the next");
        direct.0[0].lock().unwrap().execute_batch("BEGIN; PRAGMA user_version").unwrap();
        writer.pragma_update(None, "user_version", 70).unwrap();
        assert_eq!(version(), None, "what is old is not shown");
        drop((writer, direct));
        for end in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{end}", path.display()));
        }
    }
}
