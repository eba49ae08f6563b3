use std::collections::HashMap;

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::core::record::{
    Tokens,
    tests::{record, records},
};

/// A queue and its places, which answer when they are told to.
#[derive(Default)]
struct World {
    records: Records,
    texts: HashMap<Place, String>,
    loads: Vec<Load>,
    stores: Vec<(Store, String)>,
    aside: Vec<(Place, String)>,
    told: Vec<Input>,
}

impl World {
    fn new(storage: Storage) -> Self {
        Self { records: Records::new(storage), ..Self::default() }
    }

    /// With a text that lies at a place.
    fn with(mut self, place: Place, text: &str) -> Self {
        self.texts.insert(place, text.to_owned());
        self
    }

    fn write(&mut self, id: WriteId, record: &Record) {
        self.records.write(id, Box::new(record.clone()));
        self.take();
    }

    fn read(&mut self, purpose: Purpose) {
        self.records.read(purpose);
        self.take();
    }

    fn take(&mut self) {
        while let Some(step) = self.records.next() {
            match step {
                Step::Load(load) => self.loads.push(load),
                Step::Store(store, text) => self.stores.push((store, text)),
                Step::SetAside(place, text) => self.aside.push((place, text)),
                Step::Remove(place) => {
                    self.texts.remove(&place);
                }
                Step::Tell(input) => self.told.push(*input),
            }
        }
    }

    /// The load at this place in the line is answered.
    fn load(&mut self, at: usize, works: bool) {
        let load = self.loads.remove(at);
        let loaded = match self.texts.get(&load.place) {
            _ if !works => Loaded::Failed,
            Some(text) => Loaded::Text(text.clone()),
            None => Loaded::Nothing,
        };
        self.records.loaded(load, loaded);
        self.take();
    }

    /// The store at this place in the line is done, or fails.
    fn store(&mut self, at: usize, works: bool) {
        let (store, text) = self.stores.remove(at);
        if works {
            self.texts.insert(store.place, text);
        }
        self.records.stored(store, works);
        self.take();
    }

    fn settle(&mut self) {
        while !(self.loads.is_empty() && self.stores.is_empty()) {
            if self.loads.is_empty() { self.store(0, true) } else { self.load(0, true) }
        }
    }

    fn stored(&self, place: Place) -> Option<Record> {
        self.texts.get(&place).and_then(|text| Record::decode(text))
    }

    /// The writes that have ended, and what became of them.
    fn written(&self) -> Vec<(WriteId, Option<Record>)> {
        let written = self.told.iter().filter_map(|input| match input {
            Input::RecordWritten { write, written: WriteResult::Stored(record) } => {
                Some((*write, Some((**record).clone())))
            }
            Input::RecordWritten { write, written: WriteResult::Failed } => Some((*write, None)),
            _ => None,
        });
        written.collect()
    }

    /// What the last read found.
    fn found(&self) -> Option<&ReadResult> {
        self.told.iter().rev().find_map(|input| match input {
            Input::RecordRead { found, .. } | Input::RecordChanged(found) => Some(found),
            _ => None,
        })
    }
}

/// Two records of one session, with tokens; the second one is the newer.
fn two() -> (Record, Record) {
    let with_tokens = |generation| {
        let mut record = record(generation);
        record.token_set.tokens =
            Some(Tokens { access: format!("access-{generation}"), refresh: None });
        record
    };
    (with_tokens(1), with_tokens(2))
}

fn joined(a: &Record, b: &Record) -> Record {
    let mut joined = a.clone();
    joined.join(b.clone());
    joined
}

#[test]
fn a_write_joins_what_lies_there() {
    let (old, new) = two();
    let mut world = World::new(Storage::Local).with(Place::Local, &old.encode(true));
    world.write(WriteId(1), &new);
    world.settle();
    let joined = joined(&old, &new);
    assert_eq!(world.stored(Place::Local), Some(joined.clone()));
    assert_eq!(world.written(), [(WriteId(1), Some(joined))]);
}

#[test]
fn the_next_write_begins_when_the_first_has_ended() {
    let (first, second) = two();
    let mut world = World::new(Storage::Custom);
    world.write(WriteId(1), &first);
    world.write(WriteId(2), &second);
    assert_eq!((world.loads.len(), world.stores.len()), (1, 0));
    world.load(0, true);
    assert_eq!((world.loads.len(), world.stores.len()), (0, 1));
    world.store(0, true);
    assert_eq!((world.written().len(), world.loads.len()), (1, 1));
    world.settle();
    assert_eq!(world.stored(Place::Custom), Some(joined(&first, &second)));
}

#[test]
fn a_write_that_fails_lets_the_next_one_begin() {
    let (first, second) = two();
    for fails_to_read in [true, false] {
        let mut world = World::new(Storage::Local);
        world.write(WriteId(1), &first);
        world.write(WriteId(2), &second);
        world.load(0, !fails_to_read);
        if !fails_to_read {
            world.store(0, false);
        }
        assert_eq!(world.written(), [(WriteId(1), None)]);
        world.settle();
        assert_eq!(world.written(), [(WriteId(1), None), (WriteId(2), Some(second.clone()))]);
    }
}

#[test]
fn what_lies_there_already_is_not_written_again() {
    let (record, _) = two();
    let mut world = World::new(Storage::Local).with(Place::Local, &record.encode(true));
    world.write(WriteId(1), &record);
    world.load(0, true);
    assert_eq!((world.stores.len(), world.written().len()), (0, 1));
}

#[test]
fn of_two_places_each_keeps_what_is_its_own() {
    let (record, _) = two();
    for (storage, own, places) in [
        (Storage::Memory, None, vec![(Place::Local, false)]),
        (Storage::Local, None, vec![(Place::Local, true)]),
        (Storage::Custom, None, vec![(Place::Custom, true)]),
        (
            Storage::Session,
            Some(Place::Session),
            vec![(Place::Session, true), (Place::Local, false)],
        ),
    ] {
        let mut world = World::new(storage);
        world.write(WriteId(1), &record);
        world.settle();
        for (place, with_tokens) in &places {
            assert_eq!(world.texts.get(place), Some(&record.encode(*with_tokens)), "{storage:?}");
        }
        assert_eq!((world.texts.len(), world.records.own_place()), (places.len(), own));
    }
}

#[test]
fn a_write_to_two_places_works_when_both_do() {
    let (record, _) = two();
    for works in [[true, false], [false, true], [true, true]] {
        let mut world = World::new(Storage::Session);
        world.write(WriteId(1), &record);
        world.load(1, true);
        assert_eq!(world.stores.len(), 0, "both are read first");
        world.load(0, true);
        world.store(1, works[0]);
        assert_eq!(world.written().len(), 0, "both are waited for");
        world.store(0, works[1]);
        assert_eq!(world.written()[0].1.is_some(), works == [true, true]);
    }
}

#[test]
fn a_read_joins_the_places_and_needs_all_of_them() {
    let (one, two) = two();
    let mut world = World::new(Storage::Session)
        .with(Place::Session, &one.encode(true))
        .with(Place::Local, &two.encode(false));
    world.read(Purpose::Read(ReadId(1)));
    world.settle();
    assert_eq!(world.found(), Some(&ReadResult::Record(Box::new(joined(&one, &two.kept(false))))));
    for failing in [0, 1] {
        world.read(Purpose::Read(ReadId(2)));
        world.load(failing, false);
        world.load(0, true);
        assert_eq!(world.found(), Some(&ReadResult::Unavailable));
    }
    world.texts.clear();
    world.read(Purpose::Changed);
    world.settle();
    assert_eq!(world.found(), Some(&ReadResult::Nothing));
}

#[test]
fn a_text_that_is_no_record_is_set_aside() {
    let (record, _) = two();
    let mut world = World::new(Storage::Local).with(Place::Local, "?");
    world.read(Purpose::Read(ReadId(1)));
    world.settle();
    assert_eq!(world.found(), Some(&ReadResult::Corrupt));
    assert_eq!(world.aside, [(Place::Local, "?".to_owned())]);
    assert!(world.texts.is_empty(), "it is found once");

    let mut world = World::new(Storage::Local).with(Place::Local, "?");
    world.write(WriteId(1), &record);
    world.settle();
    assert_eq!(world.aside, [(Place::Local, "?".to_owned())]);
    assert_eq!(world.stored(Place::Local), Some(record.clone()), "it is written over");

    let mut world = World::new(Storage::Session)
        .with(Place::Session, "?")
        .with(Place::Local, &record.encode(false));
    world.read(Purpose::Read(ReadId(1)));
    world.settle();
    assert_eq!(world.found(), Some(&ReadResult::Record(Box::new(record.kept(false)))));
    assert_eq!(world.aside, [(Place::Session, "?".to_owned())]);
}

#[test]
fn an_answer_that_was_not_asked_for_changes_nothing() {
    let (record, _) = two();
    let mut world = World::new(Storage::Local);
    world.write(WriteId(1), &record);
    let load = world.loads[0];
    let strange = Load { id: load.id.wrapping_add(9), ..load };
    world.records.loaded(strange, Loaded::Nothing);
    assert!(world.records.next().is_none());
    world.load(0, true);
    world.records.loaded(load, Loaded::Failed);
    assert!(world.records.next().is_none(), "the second answer to it");
    let (store, _) = world.stores[0].clone();
    let strange = Store { place: Place::Custom, ..store };
    world.records.stored(strange, false);
    assert!(world.records.next().is_none());
    world.store(0, true);
    world.records.stored(store, false);
    assert!(world.records.next().is_none(), "the second answer to it");
    assert_eq!(world.written().len(), 1);
}

#[test]
fn a_place_that_never_answers_is_not_asked_without_end() {
    let (record, _) = two();
    let mut world = World::new(Storage::Custom);
    for id in 0..1_000 {
        world.write(WriteId(id), &record);
        world.read(Purpose::Read(ReadId(id)));
        world.read(Purpose::Changed);
    }
    assert_eq!((world.records.writes.len(), world.records.reads.len()), (MAX_WAITING, MAX_WAITING));
    assert_eq!(world.written().len(), 1_000 - MAX_WAITING, "the rest fails at once");
    world.settle();
    assert_eq!(world.stored(Place::Custom), Some(record));
    assert_eq!(world.written().len(), 1_000, "each is told");
}

#[derive(Clone, Debug)]
enum Act {
    Write(Box<Record>),
    Read,
    Load(usize, bool),
    Store(usize, bool),
    Corrupt(Place),
}

fn acts() -> impl Strategy<Value = Act> {
    // Most of the time places work.
    let works = || prop::bool::weighted(0.9);
    prop_oneof![
        4 => records().prop_map(|record| Act::Write(Box::new(Record { sid: 0, started_at: 0, ..record }))),
        1 => Just(Act::Read),
        8 => (0..4_usize, works()).prop_map(|(at, works)| Act::Load(at, works)),
        6 => (0..4_usize, works()).prop_map(|(at, works)| Act::Store(at, works)),
        1 => select(vec![Place::Local, Place::Session, Place::Custom]).prop_map(Act::Corrupt),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_write_that_overtakes_another_cannot(
        storage in select(vec![Storage::Memory, Storage::Session, Storage::Local, Storage::Custom]),
        acts in vec(acts(), 1..60),
    ) {
        let mut world = World::new(storage);
        let (mut writes, mut corrupted) = (0, false);
        for act in acts {
            match act {
                Act::Write(record) => {
                    writes += 1;
                    world.write(WriteId(writes), &record);
                }
                Act::Read => world.read(Purpose::Read(ReadId(1))),
                Act::Load(at, works) if at < world.loads.len() => world.load(at, works),
                Act::Store(at, works) if at < world.stores.len() => world.store(at, works),
                Act::Corrupt(place) => {
                    corrupted = true;
                    world.texts.insert(place, "?".to_owned());
                }
                Act::Load(..) | Act::Store(..) => {}
            }
            prop_assert!(world.stores.len() <= 2, "of one write at a time");
        }
        world.settle();
        let written = world.written();
        let ids: Vec<_> = written.iter().map(|(id, _)| *id).collect();
        prop_assert_eq!(ids, (1..=writes).map(WriteId).collect::<Vec<_>>(), "each once, and in order");
        let place = storage.places()[0];
        for (_, record) in written {
            let (Some(record), false) = (record, corrupted) else { continue };
            let known = |record: &Record| (record.token_set.generation, record.last_activity, record.end);
            let (stored, written) = (known(&world.stored(place).expect("a record")), known(&record));
            let is_kept = stored.0 >= written.0 && stored.1 >= written.1 && stored.2 >= written.2;
            prop_assert!(is_kept, "nothing that was stored is lost: {:?}, {:?}", stored, written);
        }
    }
}
