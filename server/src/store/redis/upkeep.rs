use redis::{ErrorKind, RedisResult, ToRedisArgs, cmd};

use super::snapshot::Want;
use super::{CHUNK, RedisStore, keys, record};
use crate::audit::Entry;
use crate::rotation::Millis;
use crate::store::{MarkKind, StoreError, TokenMark, steps};

/// What needs no look before the leap, or more than one.
impl RedisStore {
    pub(super) async fn warnings(&self) -> Result<Vec<&'static str>, StoreError> {
        let mut found = Vec::new();
        for (setting, good, warning) in SETTINGS {
            let mut line = self.link.line().await?;
            let answer: RedisResult<Vec<String>> =
                cmd("CONFIG").arg("GET").arg(setting).query_async(&mut line.connection).await;
            match answer {
                Ok(told) if told.get(1).is_none_or(|value| value == good) => {}
                Ok(_) => found.push(warning),
                // Hosted servers keep their settings to themselves.
                Err(why) if matches!(why.kind(), ErrorKind::Server(_) | ErrorKind::Extension) => {}
                Err(why) => return self.link.heard(&line, Err(why)),
            }
        }
        Ok(found)
    }

    /// Drops what is over at `latest` from indexes by time; says how many. Each index comes with
    /// what the keys of its records and of their sets begin with.
    pub(super) async fn drop_due(
        &self,
        latest: impl ToRedisArgs,
        indexes: &[[String; 3]],
    ) -> Result<usize, StoreError> {
        let mut call = self.scripts.sweep.prepare_invoke();
        call.arg(latest).arg(CHUNK);
        for [index, record, set] in indexes {
            call.key(index).arg(record).arg(set);
        }
        let mut dropped = 0;
        loop {
            let mut line = self.link.line().await?;
            let answer = call.invoke_async(&mut line.connection).await;
            let some: usize = self.link.heard(&line, answer)?;
            dropped += some;
            if some < CHUNK {
                return Ok(dropped);
            }
        }
    }

    pub(super) async fn write_mark(&self, note: TokenMark, now: Millis) -> Result<(), StoreError> {
        let index = |kind| [keys::notes(kind), keys::notes_begin(kind), keys::notes_of_begin(kind)];
        self.drop_due(now, &MarkKind::ALL.map(index)).await?;
        let want = Want::Record(keys::note(note.kind, &note.key));
        self.transact(want, move |tables| steps::note(tables, note.clone(), now)).await
    }

    pub(super) async fn write_audit(
        &self,
        entries: Vec<Entry>,
        before: Millis,
    ) -> Result<(), StoreError> {
        let [log, number] = keys::AUDIT;
        let mut call = self.scripts.audit.key(log);
        call.key(number).arg(before);
        for entry in &entries {
            call.arg(entry.at).arg(record::write(entry)?);
        }
        let mut line = self.link.line().await?;
        let answer = call.invoke_async(&mut line.connection).await;
        self.link.heard(&line, answer)
    }

    pub(super) async fn read_audit(&self, newest: usize) -> Result<Vec<Entry>, StoreError> {
        let mut read = cmd("ZRANGE");
        read.arg(keys::AUDIT[0]).arg(0).arg(newest.saturating_sub(1)).arg("REV");
        let mut line = self.link.line().await?;
        let answer = read.query_async(&mut line.connection).await;
        let entries: Vec<String> = self.link.heard(&line, answer)?;
        let text = |entry: &String| record::read("audit", entry.get(NUMBER..).unwrap_or_default());
        entries.iter().take(newest).map(text).collect()
    }
}

const SETTINGS: [(&str, &str, &str); 3] = [
    (
        "maxmemory-policy",
        "noeviction",
        "it may throw sessions away when memory runs short: set maxmemory-policy noeviction",
    ),
    ("appendonly", "yes", "a restart signs everybody out: set appendonly yes"),
    (
        "appendfsync",
        "always",
        "a power cut takes the last second with it: set appendfsync always, or live with it",
    ),
];

/// An entry of the audit log begins with its number, in so many digits.
const NUMBER: usize = 16;
