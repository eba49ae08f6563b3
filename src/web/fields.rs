//! Reads JavaScript objects that our own modules made, so that every field has the type it should.
//! Importing a getter for each field would cost more bytes than all of their names.

use wasm_bindgen::prelude::*;

use crate::core::clock::Millis;

/// A duration in milliseconds; absent when it is none, or without end.
pub(super) fn millis(from: &JsValue, name: &str) -> Option<Millis> {
    seconds(from, name).filter(|value| value.is_finite()).map(|value| value as Millis)
}

/// A number that may be absent.
pub(super) fn seconds(from: &JsValue, name: &str) -> Option<f64> {
    Some(number(from, name)).filter(|value| !value.is_nan())
}

/// A flag, false when it is absent.
pub(super) fn flag(from: &JsValue, name: &str) -> bool {
    value(from, name).is_truthy()
}

#[wasm_bindgen(module = "/src/web/fields.js")]
extern "C" {
    pub(super) fn text(from: &JsValue, name: &str) -> Option<String>;
    fn number(from: &JsValue, name: &str) -> f64;
    pub(super) fn value(from: &JsValue, name: &str) -> JsValue;
}
