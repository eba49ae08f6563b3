//! How a step gets the tables to itself: in a serialisable transaction.

use deadpool_postgres::Client;
use tokio::time::timeout;
use tokio_postgres::Row as Columns;
use tokio_postgres::types::ToSql;

use super::link::{ANSWERING, Line};
use super::records::{self, Reader, Values, escaped, integer};
use super::snapshot::{Snapshot, Want, Write};
use super::trouble::Trouble;
use super::{PostgresStore, statements};
use crate::store::StoreError;
use crate::store::crash::{self, Point};
use crate::store::statement::Statement;

impl PostgresStore {
    /// Runs a step until it could as well have been alone.
    pub(super) async fn transact<T>(
        &self,
        first: Want,
        mut step: impl FnMut(&mut Snapshot) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        for _ in 0..ATTEMPTS {
            match in_time(self.attempt(&first, &mut step)).await {
                Err(Trouble::Conflict) => {}
                done => return Ok(done?),
            }
        }
        Err(StoreError::Contended)
    }

    async fn attempt<T>(
        &self,
        first: &Want,
        step: &mut impl FnMut(&mut Snapshot) -> Result<T, StoreError>,
    ) -> Result<T, Trouble> {
        let (line, mut snapshot) = self.begin(first).await?;
        let client = line.client()?;
        let decided = async {
            let done = loop {
                let done = step(snapshot.begin());
                match snapshot.interrupted() {
                    Some(want) => read(client, &mut snapshot, &want).await?,
                    None => break done?,
                }
            };
            let mut writes = snapshot.into_writes();
            let last = writes.pop();
            for one in &writes {
                write(client, one).await?;
            }
            // Prepared before, so that the last write goes out together with the commit.
            if let Some(last) = &last {
                client.prepare_cached(statement(last).sql()).await?;
            }
            Ok((done, last))
        };
        match decided.await {
            Ok((done, last)) => {
                let committed = commit(client, last).await;
                // Committed or not, nothing is open any more.
                if !matches!(committed, Err(Trouble::Broken(_))) {
                    line.keep();
                }
                committed.map(|()| done)
            }
            Err(trouble) => {
                line.roll_back(&trouble).await;
                Err(trouble)
            }
        }
    }

    /// A transaction with its first records, in one round trip. An idle connection that turns out to
    /// be gone is replaced: nothing has been done yet.
    async fn begin(&self, first: &Want) -> Result<(Line, Snapshot), Trouble> {
        loop {
            let line = self.link.line().await?;
            let (client, mut snapshot) = (line.client()?, Snapshot::default());
            let begun = async { Ok(client.batch_execute(BEGIN).await?) };
            match tokio::try_join!(biased; begun, read(client, &mut snapshot, first)) {
                Ok(_) => return Ok((line, snapshot)),
                Err(Trouble::Broken(_)) => {}
                Err(trouble) => {
                    line.roll_back(&trouble).await;
                    return Err(trouble);
                }
            }
        }
    }

    /// One statement that reads, as a whole.
    pub(super) async fn query(
        &self,
        statement: Statement,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Columns>, StoreError> {
        let ask = async {
            loop {
                let line = self.link.line().await?;
                match query(line.client()?, statement, values).await {
                    Err(Trouble::Broken(_)) => {}
                    answer => {
                        line.keep();
                        return answer;
                    }
                }
            }
        };
        Ok(in_time(ask).await?)
    }

    /// One statement that writes, as a whole; says how many rows.
    pub(super) async fn execute(
        &self,
        statement: Statement,
        values: &Values<'_>,
    ) -> Result<u64, StoreError> {
        for _ in 0..ATTEMPTS {
            let write = async {
                let line = self.link.line().await?;
                let done = execute(line.client()?, statement, values).await;
                if !matches!(done, Err(Trouble::Broken(_))) {
                    line.keep();
                }
                done
            };
            match in_time(write).await {
                Err(Trouble::Conflict) => {}
                done => return Ok(done?),
            }
        }
        Err(StoreError::Contended)
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    let late = |_| StoreError::Postgres("it does not answer".to_owned());
    timeout(ANSWERING, work).await.map_err(late)?
}

async fn query(
    client: &Client,
    statement: Statement,
    values: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Columns>, Trouble> {
    let prepared = client.prepare_cached(statement.sql()).await?;
    Ok(client.query(&prepared, values).await?)
}

async fn execute(
    client: &Client,
    statement: Statement,
    values: &Values<'_>,
) -> Result<u64, Trouble> {
    let prepared = client.prepare_cached(statement.sql()).await?;
    let values: Vec<&(dyn ToSql + Sync)> =
        values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
    Ok(client.execute(&prepared, &values).await?)
}

async fn read(client: &Client, snapshot: &mut Snapshot, want: &Want) -> Result<(), Trouble> {
    match want {
        Want::Family(sid) => {
            let found = query(client, statements::FAMILY, &[&&sid.0[..]]).await?;
            let Some(columns) = found.first() else {
                snapshot.found_row(*sid, None);
                return Ok(());
            };
            let mut reader = Reader::of(columns);
            let row = reader.session()?;
            snapshot.found_user(row.user_id.clone(), reader.owner()?);
            snapshot.found_row(*sid, Some(row));
        }
        Want::User(id) => {
            let found = query(client, statements::USER, &[id]).await?;
            let user = found.first().map(|columns| Reader::of(columns).user()).transpose()?;
            snapshot.found_user(id.clone(), user);
        }
        Want::Named(username) => {
            let found = query(client, statements::USER_NAMED, &[&escaped(username)]).await?;
            let user = found.first().map(|columns| Reader::of(columns).user()).transpose()?;
            snapshot.found_named(username.clone(), user);
        }
        Want::Listing(user_id) => {
            let found = match user_id {
                Some(id) => query(client, statements::SESSIONS_OF_USER, &[id]).await?,
                None => query(client, statements::EVERY_SESSION, &[]).await?,
            };
            let rows = found.iter().map(|columns| Reader::of(columns).session());
            snapshot.found_listing(user_id.clone(), rows.collect::<Result<_, _>>()?);
        }
        Want::Mark(kind, key) => {
            let found = query(client, statements::NOTE, &[&kind.name(), &escaped(key)]).await?;
            let note = found.first().map(|columns| Reader::of(columns).note()).transpose()?;
            snapshot.found_mark(*kind, key.clone(), note);
        }
        Want::Notes(kind, sid) => {
            let values: [&(dyn ToSql + Sync); 2] = [&&sid.0[..], &kind.name()];
            let found = query(client, statements::NOTES_OF_SESSION, &values).await?;
            let notes = found.iter().map(|columns| Reader::of(columns).note());
            snapshot.found_marks(*kind, *sid, notes.collect::<Result<_, _>>()?);
        }
    }
    Ok(())
}

/// The last write and the commit share a round trip, and a step that writes has one as a rule.
async fn commit(client: &Client, last: Option<Write>) -> Result<(), Trouble> {
    crash::pass(Point::BeforeCommit);
    let ended = async { Ok(client.batch_execute("COMMIT").await?) };
    match &last {
        Some(last) => {
            let (written, ended) = tokio::join!(biased; write(client, last), ended);
            written.and(ended)?;
        }
        None => ended.await?,
    }
    crash::pass(Point::AfterCommit);
    Ok(())
}

async fn write(client: &Client, write: &Write) -> Result<(), Trouble> {
    let values: Values<'_> = match write {
        Write::SessionFamily(row) => records::session(row)?,
        Write::User(user) => records::user(user),
        Write::Mark(note) => records::note(note),
        Write::NoNote(kind, key) => vec![Box::new(kind.name()), Box::new(escaped(key))],
        Write::Expire(now) => vec![Box::new(integer(*now))],
    };
    execute(client, statement(write), &values).await.map(drop)
}

fn statement(write: &Write) -> Statement {
    match write {
        Write::SessionFamily(_) => statements::PUT_SESSION,
        Write::User(_) => statements::PUT_USER,
        Write::Mark(_) => statements::PUT_NOTE,
        Write::NoNote(..) => statements::DROP_NOTE,
        Write::Expire(_) => statements::DROP_NOTES,
    }
}

/// Whoever conflicts was faster, so few attempts are ever needed.
const ATTEMPTS: usize = 128;
const BEGIN: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";
