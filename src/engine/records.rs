//! The shared record: read, joined and written, one write after another.

use core::hash::{Hash, Hasher};

use super::host::{Load, Loaded, Place, Store};
use crate::core::{
    ids::{ReadId, WriteId},
    input::{Input, ReadResult, WriteResult},
    record::Record,
};

/// At most this many reads, and writes, wait for a place that hangs; the others fail at once.
const MAX_WAITING: usize = 64;

/// Where a session keeps its tokens between page loads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Storage {
    /// Nowhere; the record without tokens is shared all the same.
    #[default]
    Memory,
    /// In the tab's own storage; the record without tokens is shared.
    Session,
    /// In the storage of all tabs.
    Local,
    /// In a place of the application's.
    Custom,
}

impl Storage {
    /// The places that are used; the first one keeps the tokens, if any does.
    const fn places(self) -> &'static [Place] {
        match self {
            Self::Memory | Self::Local => &[Place::Local],
            Self::Session => &[Place::Session, Place::Local],
            Self::Custom => &[Place::Custom],
        }
    }

    fn keeps_tokens(self, place: Place) -> bool {
        self != Self::Memory && self.places().first() == Some(&place)
    }
}

/// All reads and writes under way. A write reads, joins and stores; writes follow one another, so
/// that a slow place cannot store an older record last.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    pub(super) storage: Storage,
    pub(super) reads: Vec<Reading>,
    pub(super) writes: Vec<Writing>,
    pub(super) last_id: u32,
    steps: Vec<Step>,
}

/// The texts of all places, for one purpose.
#[derive(Clone, Debug, Hash)]
pub(super) struct Reading {
    pub(super) purpose: Purpose,
    pub(super) texts: Vec<(Load, Option<Loaded>)>,
}

/// What is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    /// The machine asked.
    Read(ReadId),
    /// Another tab has changed it.
    Changed,
    /// The first write in the line.
    Write,
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Writing {
    pub(super) id: WriteId,
    record: Box<Record>,
    /// What is being stored, once it has been joined, and where that has not ended yet.
    joined: Option<Box<Record>>,
    pub(super) stores: Vec<Store>,
    failed: bool,
}

/// What has to be done next.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Load(Load),
    /// Keep a text that is no record under another key.
    SetAside(Place, String),
    Remove(Place),
    Store(Store, String),
    Tell(Box<Input>),
}

impl Records {
    pub(super) fn new(storage: Storage) -> Self {
        Self { storage, ..Self::default() }
    }

    /// What has to be done next; each step is given once, in order.
    pub(super) fn next(&mut self) -> Option<Step> {
        (!self.steps.is_empty()).then(|| self.steps.remove(0))
    }

    /// Begins to read.
    pub(super) fn read(&mut self, purpose: Purpose) {
        if self.reads.len() >= MAX_WAITING && purpose != Purpose::Write {
            return self.found(purpose, ReadResult::Unavailable);
        }
        let mut texts = Vec::new();
        for place in self.storage.places() {
            let load = Load { place: *place, id: self.next_id() };
            texts.push((load, None));
            self.steps.push(Step::Load(load));
        }
        self.reads.push(Reading { purpose, texts });
    }

    /// Queues a write; begins it when it is the first.
    pub(super) fn write(&mut self, id: WriteId, record: Box<Record>) {
        if self.writes.len() >= MAX_WAITING {
            return self.written(id, WriteResult::Failed);
        }
        let write = Writing { id, record, joined: None, stores: Vec::new(), failed: false };
        self.writes.push(write);
        if self.writes.len() == 1 {
            self.read(Purpose::Write);
        }
    }

    /// A place was read.
    pub(super) fn loaded(&mut self, load: Load, loaded: Loaded) {
        let mut texts = self.reads.iter_mut().flat_map(|reading| &mut reading.texts);
        if let Some((_, text)) = texts.find(|(asked, _)| *asked == load) {
            *text = Some(loaded);
        }
        let complete = |reading: &Reading| reading.texts.iter().all(|(_, text)| text.is_some());
        let Some(at) = self.reads.iter().position(complete) else { return };
        let Reading { purpose, texts } = self.reads.remove(at);
        let (found, aside) = find(&texts);
        for (place, text) in aside {
            self.steps.push(Step::SetAside(place, text));
            // Else it is written over.
            if self.writes.is_empty() {
                self.steps.push(Step::Remove(place));
            }
        }
        if purpose == Purpose::Write { self.join(found, texts) } else { self.found(purpose, found) }
    }

    /// Joins the first write with what lies there.
    fn join(&mut self, found: ReadResult, texts: Vec<(Load, Option<Loaded>)>) {
        let Some(write) = self.writes.first_mut() else { return };
        let mut joined = write.record.clone();
        match found {
            ReadResult::Record(stored) => joined.join(*stored),
            ReadResult::Unavailable => return self.end(false),
            ReadResult::Nothing | ReadResult::Corrupt => {}
        }
        for (load, text) in texts {
            let wanted = joined.encode(self.storage.keeps_tokens(load.place));
            // WriteResult again, it could take the place of what another tab writes in this moment.
            if !matches!(text, Some(Loaded::Text(known)) if known == wanted) {
                self.last_id = self.last_id.wrapping_add(1);
                let store = Store { place: load.place, id: self.last_id };
                write.stores.push(store);
                self.steps.push(Step::Store(store, wanted));
            }
        }
        write.joined = Some(joined);
        if write.stores.is_empty() {
            self.end(true);
        }
    }

    /// A place was written, or cannot be.
    pub(super) fn stored(&mut self, store: Store, works: bool) {
        let Some(write) = self.writes.first_mut() else { return };
        let Some(at) = write.stores.iter().position(|asked| *asked == store) else { return };
        write.stores.remove(at);
        write.failed |= !works;
        if write.stores.is_empty() {
            let works = !write.failed;
            self.end(works);
        }
    }

    /// The first write has ended; the next one begins.
    fn end(&mut self, works: bool) {
        let Writing { id, joined, .. } = self.writes.remove(0);
        self.written(id, joined.filter(|_| works).map_or(WriteResult::Failed, WriteResult::Stored));
        if !self.writes.is_empty() {
            self.read(Purpose::Write);
        }
    }

    fn found(&mut self, purpose: Purpose, found: ReadResult) {
        self.steps.push(Step::Tell(Box::new(match purpose {
            Purpose::Read(read) => Input::RecordRead { read, found },
            Purpose::Changed | Purpose::Write => Input::RecordChanged(found),
        })));
    }

    fn written(&mut self, write: WriteId, written: WriteResult) {
        self.steps.push(Step::Tell(Box::new(Input::RecordWritten { write, written })));
    }

    /// Whether the machine waits for what it asked to read.
    pub(super) fn is_reading(&self) -> bool {
        self.reads.iter().any(|reading| matches!(reading.purpose, Purpose::Read(_)))
    }

    /// The place that only this tab reads, where the tokens are shared elsewhere.
    pub(super) fn own_place(&self) -> Option<Place> {
        (self.storage.places().len() > 1).then(|| self.storage.places()[0])
    }

    fn next_id(&mut self) -> u32 {
        self.last_id = self.last_id.wrapping_add(1);
        self.last_id
    }
}

/// What the texts say together, and which of them are no records.
fn find(texts: &[(Load, Option<Loaded>)]) -> (ReadResult, Vec<(Place, String)>) {
    let mut found = ReadResult::Nothing;
    let mut aside = Vec::new();
    for (load, text) in texts {
        let text = match text {
            Some(Loaded::Text(text)) => text,
            Some(Loaded::Nothing) => continue,
            Some(Loaded::Failed) | None => return (ReadResult::Unavailable, aside),
        };
        match (Record::decode(text), &mut found) {
            (Some(record), ReadResult::Record(known)) => known.join(record),
            (Some(record), _) => found = ReadResult::Record(Box::new(record)),
            (None, known) => {
                if *known == ReadResult::Nothing {
                    *known = ReadResult::Corrupt;
                }
                aside.push((load.place, text.clone()));
            }
        }
    }
    (found, aside)
}

/// What is still to be done is left out: at rest that is nothing.
impl Hash for Records {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.storage, &self.reads, &self.writes, self.last_id).hash(state);
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests;
