//! The places that keep the session's record: Web Storage, or what the application gave.

use wasm_bindgen::{JsCast, JsValue, prelude::*};
use web_sys::Storage;

use super::js::{global, is_thenable, then};
use crate::engine::host::{Loaded, Place};

/// All places of one session.
#[derive(Clone, Default)]
pub(super) struct Places {
    /// The application's place, if it gave one.
    pub(super) custom: Option<JsValue>,
}

impl Places {
    /// Loads a text; what comes later goes to `later`.
    pub(super) fn load(
        &self,
        place: Place,
        key: &str,
        later: impl FnOnce(Loaded) + 'static,
    ) -> Option<Loaded> {
        let Some(custom) = self.custom_at(place) else {
            let loaded = area(place).get_item(key);
            return Some(
                loaded.map_or(Loaded::Failed, |text| text.map_or(Loaded::Nothing, Loaded::Text)),
            );
        };
        match custom.get(key) {
            Err(_) => Some(Loaded::Failed),
            Ok(value) if is_thenable(&value) => {
                then(&value, |value| later(value.map_or(Loaded::Failed, |value| loaded(&value))));
                None
            }
            Ok(value) => Some(loaded(&value)),
        }
    }

    /// Stores a text; whether that worked goes to `later` when it is known later.
    pub(super) fn store(
        &self,
        place: Place,
        key: &str,
        text: &str,
        later: impl FnOnce(bool) + 'static,
    ) -> Option<bool> {
        let Some(custom) = self.custom_at(place) else {
            return Some(area(place).set_item(key, text).is_ok());
        };
        match custom.set(key, text) {
            Ok(value) if is_thenable(&value) => {
                then(&value, |value| later(value.is_ok()));
                None
            }
            stored => Some(stored.is_ok()),
        }
    }

    /// Removes a text. That it cannot be removed changes nothing.
    pub(super) fn remove(&self, place: Place, key: &str) {
        match self.custom_at(place) {
            None => {
                let _ = area(place).remove_item(key);
            }
            Some(custom) => {
                if let Ok(value) = custom.remove(key)
                    && is_thenable(&value)
                {
                    then(&value, |_| {});
                }
            }
        }
    }

    fn custom_at(&self, place: Place) -> Option<&TokenStorage> {
        self.custom.as_ref().filter(|_| place == Place::Custom).map(JsCast::unchecked_ref)
    }
}

/// Looked up each time: reading the property may throw, and then every method of it does.
fn area(place: Place) -> Storage {
    let name = if place == Place::Session { "sessionStorage" } else { "localStorage" };
    global(name).unchecked_into()
}

fn loaded(value: &JsValue) -> Loaded {
    value.as_string().map_or(Loaded::Nothing, Loaded::Text)
}

#[wasm_bindgen]
extern "C" {
    /// `{ get(key), set(key, value), remove(key) }`, synchronous or not.
    type TokenStorage;
    #[wasm_bindgen(method, catch, structural)]
    fn get(this: &TokenStorage, key: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, structural)]
    fn set(this: &TokenStorage, key: &str, value: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, structural)]
    fn remove(this: &TokenStorage, key: &str) -> Result<JsValue, JsValue>;
}
