//! The shared record: read, joined and written, one write after another.

use std::collections::VecDeque;

use super::host::{Load, Loaded, Place, Store};
use crate::core::{
    ids::{ReadId, WriteId},
    input::{Found, Input, Written},
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
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Records {
    pub(super) storage: Storage,
    pub(super) reads: Vec<Reading>,
    pub(super) writes: VecDeque<Writing>,
    pub(super) last_id: u32,
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
#[derive(Debug)]
pub(super) enum Step {
    Load(Vec<Load>),
    /// Move texts that are no records out of the way; they are removed unless they are written over.
    SetAside(Vec<(Place, String)>, bool),
    Store(Vec<(Store, String)>),
    Tell(Input),
}

impl Records {
    pub(super) fn new(storage: Storage) -> Self {
        Self { storage, ..Self::default() }
    }

    /// Begins to read.
    pub(super) fn read(&mut self, purpose: Purpose) -> Step {
        match purpose {
            Purpose::Read(read) if self.reads.len() >= MAX_WAITING => {
                return Step::Tell(Input::RecordRead { read, found: Found::Unavailable });
            }
            Purpose::Changed if self.reads.len() >= MAX_WAITING => {
                return Step::Tell(Input::RecordChanged(Found::Unavailable));
            }
            Purpose::Read(_) | Purpose::Changed | Purpose::Write => {}
        }
        let places = self.storage.places();
        let loads: Vec<_> = places.iter().map(|place| self.load(*place)).collect();
        let texts = loads.iter().map(|load| (*load, None)).collect();
        self.reads.push(Reading { purpose, texts });
        Step::Load(loads)
    }

    /// Queues a write; begins it when it is the first.
    pub(super) fn write(&mut self, id: WriteId, record: Box<Record>) -> Option<Step> {
        if self.writes.len() >= MAX_WAITING {
            return Some(Step::Tell(Input::RecordWritten { write: id, written: Written::Failed }));
        }
        let write = Writing { id, record, joined: None, stores: Vec::new(), failed: false };
        self.writes.push_back(write);
        (self.writes.len() == 1).then(|| self.read(Purpose::Write))
    }

    /// A place was read.
    pub(super) fn loaded(&mut self, load: Load, loaded: Loaded) -> Vec<Step> {
        let of = |reading: &Reading| reading.texts.iter().any(|(asked, _)| *asked == load);
        let Some(at) = self.reads.iter().position(of) else { return Vec::new() };
        for (asked, text) in &mut self.reads[at].texts {
            if *asked == load {
                *text = Some(loaded);
                break;
            }
        }
        if self.reads[at].texts.iter().any(|(_, text)| text.is_none()) {
            return Vec::new();
        }
        let reading = self.reads.remove(at);
        let (found, aside) = find(&reading);
        let mut steps = Vec::new();
        if !aside.is_empty() {
            steps.push(Step::SetAside(aside, self.writes.is_empty()));
        }
        match reading.purpose {
            Purpose::Read(read) => steps.push(Step::Tell(Input::RecordRead { read, found })),
            Purpose::Changed => steps.push(Step::Tell(Input::RecordChanged(found))),
            Purpose::Write => steps.extend(self.join(found, &reading)),
        }
        steps
    }

    /// Joins the first write with what lies there.
    fn join(&mut self, found: Found, reading: &Reading) -> Vec<Step> {
        let Some(write) = self.writes.front_mut() else { return Vec::new() };
        let mut joined = write.record.clone();
        match found {
            Found::Record(stored) => joined.join(*stored),
            Found::Unavailable => return self.end(false),
            Found::Nothing | Found::Corrupt => {}
        }
        let (full, bare) = (joined.encode(true), joined.encode(false));
        write.joined = Some(joined);
        let mut stores = Vec::new();
        for (load, text) in &reading.texts {
            let wanted = if self.storage.keeps_tokens(load.place) { &full } else { &bare };
            // Written again, it could take the place of what another tab writes in this moment.
            if !matches!(text, Some(Loaded::Text(known)) if known == wanted) {
                self.last_id = self.last_id.wrapping_add(1);
                let store = Store { place: load.place, id: self.last_id };
                stores.push((store, wanted.clone()));
            }
        }
        write.stores = stores.iter().map(|(store, _)| *store).collect();
        if stores.is_empty() { self.end(true) } else { vec![Step::Store(stores)] }
    }

    /// A place was written, or cannot be.
    pub(super) fn stored(&mut self, store: Store, works: bool) -> Vec<Step> {
        let Some(write) = self.writes.front_mut() else { return Vec::new() };
        let Some(at) = write.stores.iter().position(|asked| *asked == store) else {
            return Vec::new();
        };
        write.stores.remove(at);
        write.failed |= !works;
        let (waits, works) = (!write.stores.is_empty(), !write.failed);
        if waits { Vec::new() } else { self.end(works) }
    }

    /// The first write has ended; the next one begins.
    fn end(&mut self, works: bool) -> Vec<Step> {
        let Some(write) = self.writes.pop_front() else { return Vec::new() };
        let written = match write.joined.filter(|_| works) {
            Some(joined) => Written::Stored(joined),
            None => Written::Failed,
        };
        let mut steps = vec![Step::Tell(Input::RecordWritten { write: write.id, written })];
        if !self.writes.is_empty() {
            steps.push(self.read(Purpose::Write));
        }
        steps
    }

    pub(super) fn is_reading(&self) -> bool {
        self.reads.iter().any(|reading| matches!(reading.purpose, Purpose::Read(_)))
    }

    /// The place that only this tab reads, where the tokens are shared elsewhere.
    pub(super) fn own_place(&self) -> Option<Place> {
        (self.storage.places().len() > 1).then(|| self.storage.places()[0])
    }

    fn load(&mut self, place: Place) -> Load {
        self.last_id = self.last_id.wrapping_add(1);
        Load { place, id: self.last_id }
    }
}

/// What the texts say together, and which of them are no records.
fn find(reading: &Reading) -> (Found, Vec<(Place, String)>) {
    let mut found = Found::Nothing;
    let mut aside = Vec::new();
    for (load, text) in &reading.texts {
        let text = match text {
            Some(Loaded::Text(text)) => text,
            Some(Loaded::Nothing) => continue,
            Some(Loaded::Failed) | None => return (Found::Unavailable, aside),
        };
        match (Record::decode(text), &mut found) {
            (Some(record), Found::Record(known)) => known.join(record),
            (Some(record), _) => found = Found::Record(Box::new(record)),
            (None, known) => {
                if *known == Found::Nothing {
                    *known = Found::Corrupt;
                }
                aside.push((load.place, text.clone()));
            }
        }
    }
    (found, aside)
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests;
