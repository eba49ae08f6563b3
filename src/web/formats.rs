//! The parsers of the platform: `JSON`, `Date`, and serde-wasm-bindgen between.

use js_sys::{Date, JSON, Object};
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

use super::js::set;
use crate::{core::clock::Millis, engine::formats::Formats};

/// Those of JavaScript.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WebFormats;

impl Formats for WebFormats {
    type Value = JsValue;

    fn parse_json(text: &str) -> Option<JsValue> {
        JSON::parse(text).ok()
    }

    fn read<T: DeserializeOwned>(value: &JsValue) -> Option<T> {
        serde_wasm_bindgen::from_value(value.clone()).ok()
    }

    fn write_object(fields: &[(&str, &str)]) -> String {
        let object = Object::new();
        for (name, text) in fields {
            set(&object, name, &JsValue::from_str(text));
        }
        JSON::stringify(&object).map(String::from).unwrap_or_default()
    }

    fn parse_number(text: &str) -> Option<f64> {
        // A text without any would be zero.
        let number = JsValue::from_str(text).unchecked_into_f64();
        let given = text.bytes().any(|byte| byte.is_ascii_alphanumeric());
        (given && !number.is_nan()).then_some(number)
    }

    fn parse_date(text: &str) -> Option<Millis> {
        let date = Date::parse(text);
        date.is_finite().then_some(date as Millis)
    }
}
