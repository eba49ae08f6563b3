//! The places that keep the session's record: Web Storage, or what the application gave.

use wasm_bindgen::JsValue;

use super::js::{call, global, is_thenable, then};
use crate::engine::host::{Loaded, Place};

/// All places of one session.
#[derive(Clone, Default)]
pub(super) struct Places {
    /// The application's place, if it gave one: `{ get(key), set(key, value), remove(key) }`,
    /// synchronous or not.
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
        let called = self.call(place, ["getItem", "get"], key, &JsValue::UNDEFINED);
        at_once(called, |result| later(loaded(result))).map(loaded)
    }

    /// Stores a text; whether that worked goes to `later` when it is known later.
    pub(super) fn store(
        &self,
        place: Place,
        key: &str,
        text: &str,
        later: impl FnOnce(bool) + 'static,
    ) -> Option<bool> {
        let called = self.call(place, ["setItem", "set"], key, &JsValue::from_str(text));
        at_once(called, |result| later(result.is_ok())).map(|result| result.is_ok())
    }

    /// Removes a text. That it cannot be removed changes nothing.
    pub(super) fn remove(&self, place: Place, key: &str) {
        let called = self.call(place, ["removeItem", "remove"], key, &JsValue::UNDEFINED);
        at_once(called, |_| {});
    }

    /// Calls the method of Web Storage or of the application's place.
    fn call(
        &self,
        place: Place,
        [web, custom]: [&str; 2],
        key: &str,
        text: &JsValue,
    ) -> Result<JsValue, JsValue> {
        let arguments = [&JsValue::from_str(key), text];
        match self.custom.as_ref().filter(|_| place == Place::Custom) {
            Some(object) => call(object, custom, arguments),
            None => call(&area(place), web, arguments),
        }
    }
}

/// Looked up each time: reading the property may throw, and then every method of it does.
fn area(place: Place) -> JsValue {
    global(if place == Place::Session { "sessionStorage" } else { "localStorage" })
}

/// What a call came to; what a promise comes to goes to `later`.
fn at_once(
    called: Result<JsValue, JsValue>,
    later: impl FnOnce(Result<JsValue, JsValue>) + 'static,
) -> Option<Result<JsValue, JsValue>> {
    if called.as_ref().is_ok_and(is_thenable) {
        then(called, later);
        return None;
    }
    Some(called)
}

fn loaded(result: Result<JsValue, JsValue>) -> Loaded {
    let text = |value: JsValue| value.as_string().map_or(Loaded::Nothing, Loaded::Text);
    result.map_or(Loaded::Failed, text)
}
