//! The shared record in storage.

use std::{cell::RefCell, collections::VecDeque};

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, AbortSignal};

use super::handle::{Callback, Running};
use crate::core::{
    effect::{ReadId, WriteId},
    input::{Found, Written},
    record::Record,
};

/// Where a session's record lies, and the writes under way.
///
/// A write reads, joins and stores. Writes follow one another, so that a slow place cannot store
/// an older record last.
pub(super) struct Storage {
    key: String,
    kind: RefCell<Kind>,
    writes: RefCell<VecDeque<(WriteId, Box<Record>)>>,
    /// Answers that come after this is dropped are not delivered.
    open: Option<Running>,
    callbacks: Callbacks,
}

/// Who hears of the answers of a place.
pub(super) struct Callbacks {
    /// The record was read for `Effect::Read`.
    pub(super) read: Callback,
    /// It was read because another tab changed it.
    pub(super) changed: Callback,
    /// It was read to be joined and stored.
    pub(super) join: Callback,
    /// It was stored.
    pub(super) stored: Callback,
}

struct Kind {
    places: JsValue,
    /// The first place keeps the tokens.
    keeps_tokens: bool,
    /// And does so for this tab alone.
    own: bool,
}

impl Storage {
    pub(super) fn new(key: &str, callbacks: Callbacks) -> Self {
        Self {
            key: key.to_owned(),
            kind: RefCell::new(Kind::of(&JsValue::from_str("memory"))),
            writes: RefCell::default(),
            open: AbortController::new().ok().map(Running),
            callbacks,
        }
    }

    /// Uses the places of the option `storage` from now on.
    pub(super) fn use_places(&self, storage: &JsValue) {
        *self.kind.borrow_mut() = Kind::of(storage);
    }

    pub(super) fn read(&self, read: ReadId) {
        self.load(read, &self.callbacks.read);
    }

    /// Reads after another tab has changed something.
    pub(super) fn reread(&self) {
        self.load(0, &self.callbacks.changed);
    }

    pub(super) fn write(&self, write: WriteId, record: Box<Record>) {
        let first = {
            let mut writes = self.writes.borrow_mut();
            writes.push_back((write, record));
            writes.len() == 1
        };
        if first {
            self.load(write, &self.callbacks.join);
        }
    }

    /// Second step of a write: `texts` is what lies there. The answer, if it has failed.
    pub(super) fn join(&self, write: WriteId, texts: &JsValue) -> Option<Written> {
        let record = match (self.found(texts), self.writes.borrow_mut().front_mut()) {
            (Found::Unavailable, _) | (_, None) => None,
            (Found::Record(there), Some((_, record))) => {
                **record = record.as_ref().clone().join(*there);
                Some(record.clone())
            }
            (Found::Nothing | Found::Corrupt, Some((_, record))) => Some(record.clone()),
        };
        let Some(record) = record else { return Some(self.stored(false)) };
        let kind = self.kind.borrow();
        let texts = Array::new();
        texts.push(&record.encode(kind.keeps_tokens).into());
        if kind.own {
            texts.push(&record.encode(false).into());
        }
        let places = kind.places.clone();
        drop(kind);
        save(&places, &self.key, &texts, write, self.signal().as_ref(), &self.callbacks.stored);
        None
    }

    /// Last step of a write: its answer. The next one begins.
    pub(super) fn stored(&self, stored: bool) -> Written {
        let (done, next) = {
            let mut writes = self.writes.borrow_mut();
            (writes.pop_front(), writes.front().map(|(write, _)| *write))
        };
        if let Some(next) = next {
            self.load(next, &self.callbacks.join);
        }
        match done {
            Some((_, record)) if stored => Written::Stored(record),
            _ => Written::Failed,
        }
    }

    /// What the texts of all places say together. What is no record is moved out of the way.
    pub(super) fn found(&self, texts: &JsValue) -> Found {
        if texts.is_undefined() {
            return Found::Unavailable;
        }
        let mut found = Found::Nothing;
        for (index, text) in (0..).zip(texts.unchecked_ref::<Array>().iter()) {
            let Some(text) = text.as_string() else { continue };
            found = match (Record::decode(&text), found) {
                (Some(record), Found::Record(other)) => {
                    Found::Record(Box::new(record.join(*other)))
                }
                (Some(record), _) => Found::Record(Box::new(record)),
                (None, other) => {
                    set_aside(&self.kind.borrow().places, index, &self.key, &text);
                    if other == Found::Nothing { Found::Corrupt } else { other }
                }
            };
        }
        found
    }

    /// Drops the tokens that only this tab keeps.
    pub(super) fn forget(&self) {
        if self.kind.borrow().own {
            forget(&self.key);
        }
    }

    fn signal(&self) -> Option<AbortSignal> {
        self.open.as_ref().map(Running::signal)
    }

    fn load(&self, id: u32, done: &Callback) {
        let places = self.kind.borrow().places.clone();
        load(&places, &self.key, id, self.signal().as_ref(), done);
    }
}

impl Kind {
    fn of(storage: &JsValue) -> Self {
        Self {
            places: open_places(storage),
            keeps_tokens: *storage != "memory",
            own: *storage == "session",
        }
    }
}

#[wasm_bindgen(module = "/src/web/storage.js")]
extern "C" {
    #[wasm_bindgen(js_name = openPlaces)]
    fn open_places(storage: &JsValue) -> JsValue;
    fn load(places: &JsValue, key: &str, id: u32, signal: Option<&AbortSignal>, done: &Callback);
    fn save(
        places: &JsValue,
        key: &str,
        texts: &Array,
        id: u32,
        signal: Option<&AbortSignal>,
        done: &Callback,
    );
    #[wasm_bindgen(js_name = setAside)]
    fn set_aside(places: &JsValue, index: u32, key: &str, text: &str);
    fn forget(key: &str);
}
