use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{SqliteTables, StoreError};
use crate::store::crash::{self, Point};

/// A thread that owns a connection and runs steps on it, one after the other. A pool of connections
/// would flush for each step; here those that wait share a flush.
#[derive(Debug)]
pub(super) struct Worker {
    jobs: Mutex<Option<Sender<Job>>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Worker {
    /// Runs each step as it comes.
    pub(super) fn reading(connection: Connection) -> Result<Self, StoreError> {
        Self::start("everfresh-reader", move |jobs| {
            for job in jobs {
                (job.work)(Ok(&connection))(None);
            }
        })
    }

    /// Commits all steps that wait together, and answers only when they are on the disk.
    pub(super) fn writing(connection: Connection) -> Result<Self, StoreError> {
        Self::start("everfresh-writer", move |jobs| {
            while let Ok(first) = jobs.recv() {
                let others = jobs.try_iter().take(GROUP - 1);
                commit(&connection, std::iter::once(first).chain(others));
            }
        })
    }

    /// Has a step done, all of it or nothing.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut SqliteTables<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.queue(true, step).await
    }

    /// The same for a step that no client waits for.
    pub(super) async fn keep_up<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut SqliteTables<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.queue(false, step).await
    }

    async fn queue<T: Send + 'static>(
        &self,
        decides: bool,
        step: impl FnOnce(&mut SqliteTables<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            let done = connection.and_then(|connection| whole(connection, step));
            Box::new(move |failure| {
                // Nobody may wait any more: the client hung up.
                let _ = answer.send(match failure {
                    None => done,
                    Some(failure) => Err(failure),
                });
            })
        });
        {
            let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            let jobs = jobs.as_ref().ok_or(StoreError::Closed)?;
            jobs.send(Job { decides, work }).map_err(|_| StoreError::Closed)?;
        }
        answered.await.map_err(|_| StoreError::Closed)?
    }

    fn start(
        name: &str,
        work: impl FnOnce(Receiver<Job>) + Send + 'static,
    ) -> Result<Self, StoreError> {
        let (jobs, queue) = channel();
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(queue))
            .map_err(|error| StoreError::Sqlite(error.to_string()))?;
        Ok(Self { jobs: Mutex::new(Some(jobs)), thread: Some(thread) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A step that waits for its turn.
struct Job {
    /// A crash that a test asked for comes with such a step and with no other.
    decides: bool,
    work: Work,
}

/// Does a step, if there is a connection to do it on, and hands back how to answer: that has to wait
/// until it is known whether the commit failed.
type Work = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Option<StoreError>)>;

fn commit(connection: &Connection, jobs: impl Iterator<Item = Job>) {
    let failure = |error: &rusqlite::Error| StoreError::Sqlite(error.to_string());
    if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
        for job in jobs {
            (job.work)(Err(failure(&error)))(None);
        }
        return;
    }
    let mut decides = false;
    let step = |job: Job| {
        decides |= job.decides;
        (job.work)(Ok(connection))
    };
    let answers: Vec<Answer> = jobs.map(step).collect();
    let pass = |point| {
        if decides {
            crash::pass(point);
        }
    };
    pass(Point::BeforeCommit);
    let committed = connection.execute_batch("COMMIT");
    pass(Point::AfterCommit);
    if committed.is_err() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    for answer in answers {
        answer(committed.as_ref().err().map(failure));
    }
}

/// A step that fails half-way leaves nothing behind, and its neighbours alone.
pub(super) fn whole<T>(
    connection: &Connection,
    step: impl FnOnce(&mut SqliteTables<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.prepare_cached("SAVEPOINT step")?.execute([])?;
    let done = step(&mut SqliteTables::on(connection));
    if done.is_err() {
        connection.prepare_cached("ROLLBACK TO step")?.execute([])?;
    }
    connection.prepare_cached("RELEASE step")?.execute([])?;
    done
}

/// So many steps share one commit at most.
const GROUP: usize = 256;
