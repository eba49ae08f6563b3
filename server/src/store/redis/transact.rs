use redis::cmd;

use super::link::Line;
use super::snapshot::{Snapshot, Stamped, Want};
use super::{CHUNK, RedisStore, keys};
use crate::rotation::SessionId;
use crate::store::StoreError;
use crate::store::crash::{self, Point};

/// How a step gets the tables to itself: it does not, but it notices if it did not have them.
impl RedisStore {
    /// Runs a step until nobody came between its reading and its writing.
    pub(super) async fn transact<T>(
        &self,
        first: Want,
        mut step: impl FnMut(&mut Snapshot) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        for _ in 0..ATTEMPTS {
            let mut snapshot = Snapshot::empty()?;
            self.read(&mut snapshot, first.clone()).await?;
            let mut whole = true;
            let done = loop {
                let done = step(&mut snapshot);
                match snapshot.interrupted() {
                    Some(want) => self.read(&mut snapshot, want).await?,
                    None => break done?,
                }
                whole = false;
            };
            if self.commit(snapshot, whole).await? {
                return Ok(done);
            }
        }
        Err(StoreError::Contended)
    }

    /// Reads, on a new connection if the old one turns out to be gone.
    async fn read(&self, snapshot: &mut Snapshot, want: Want) -> Result<(), StoreError> {
        let line = self.link.line().await?;
        match self.fetch(line, snapshot, &want).await {
            Err(StoreError::Redis(_)) => {
                let line = self.link.line().await?;
                self.fetch(line, snapshot, &want).await
            }
            done => done,
        }
    }

    async fn fetch(
        &self,
        mut line: Line,
        snapshot: &mut Snapshot,
        want: &Want,
    ) -> Result<(), StoreError> {
        match want {
            Want::Family(sid) => {
                let key = keys::session(*sid);
                let mut call = self.scripts.family.key(&key);
                let answer = call.arg(keys::USER).invoke_async(&mut line.connection).await;
                let (row, user): (Option<String>, Option<String>) =
                    self.link.heard(&line, answer)?;
                let row = row.map(Stamped::parse).transpose()?;
                if let Some(row) = &row {
                    let id = row.owner()?;
                    snapshot.take_in(keys::user(&id), user.map(Stamped::parse).transpose()?);
                }
                snapshot.take_in(key, row);
            }
            Want::Record(key) => {
                let answer = cmd("GET").arg(key).query_async(&mut line.connection).await;
                let value: Option<String> = self.link.heard(&line, answer)?;
                snapshot.take_in(key.clone(), value.map(Stamped::parse).transpose()?);
            }
            Want::Listing(user_id) => {
                let index = match user_id {
                    Some(id) => cmd("SMEMBERS").arg(keys::sessions_of(id)).to_owned(),
                    None => cmd("ZRANGE").arg(keys::SESSIONS).arg(0).arg(-1).to_owned(),
                };
                let answer = index.query_async(&mut line.connection).await;
                let members: Vec<String> = self.link.heard(&line, answer)?;
                let sids: Vec<SessionId> = members.iter().filter_map(|at| keys::sid(at)).collect();
                let wanted = sids.iter().map(|sid| keys::session(*sid)).collect();
                self.fetch_all(&mut line, snapshot, wanted).await?;
                snapshot.list(user_id.clone(), sids);
            }
            Want::Notes(kind, sid) => {
                let mut index = cmd("SMEMBERS");
                index.arg(keys::notes_of(*kind, *sid));
                let answer = index.query_async(&mut line.connection).await;
                let listed: Vec<String> = self.link.heard(&line, answer)?;
                let wanted = listed.iter().map(|key| keys::note(*kind, key)).collect();
                self.fetch_all(&mut line, snapshot, wanted).await?;
                snapshot.list_notes(*kind, *sid, listed);
            }
        }
        Ok(())
    }

    async fn fetch_all(
        &self,
        line: &mut Line,
        snapshot: &mut Snapshot,
        wanted: Vec<String>,
    ) -> Result<(), StoreError> {
        for some in wanted.chunks(CHUNK) {
            let answer = cmd("MGET").arg(some).query_async(&mut line.connection).await;
            let values: Vec<Option<String>> = self.link.heard(line, answer)?;
            for (key, value) in some.iter().zip(values) {
                snapshot.take_in(key.clone(), value.map(Stamped::parse).transpose()?);
            }
        }
        Ok(())
    }

    /// Whether the step stands. What was read at one moment and changes nothing always does.
    async fn commit(&self, snapshot: Snapshot, whole: bool) -> Result<bool, StoreError> {
        let commit = snapshot.commit();
        if commit.commands.is_empty() && whole {
            return Ok(true);
        }
        let mut call = self.scripts.commit.prepare_invoke();
        for key in commit.read.iter().map(|(key, _)| key).chain(&commit.written) {
            call.key(key);
        }
        call.arg(commit.read.len());
        for (_, stamp) in &commit.read {
            call.arg(stamp);
        }
        for command in &commit.commands {
            call.arg(command.len()).arg(command);
        }

        let mut line = self.link.line().await?;
        crash::pass(Point::BeforeCommit);
        let answer = call.invoke_async(&mut line.connection).await;
        crash::pass(Point::AfterCommit);
        self.link.heard(&line, answer)
    }
}

/// So often a step begins again. Each time somebody else has got on, so few are ever needed.
const ATTEMPTS: usize = 128;
