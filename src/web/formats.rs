//! The parsers of the platform: `JSON`, `Date`, and serde-wasm-bindgen between.

use js_sys::{Date, JSON, Object};
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

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
        JSON::stringify(&object(fields)).map(String::from).unwrap_or_default()
    }

    fn write_form(fields: &[(&str, &str)]) -> String {
        Form::new(&object(fields)).map(|form| form.text()).unwrap_or_default()
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

fn object(fields: &[(&str, &str)]) -> Object {
    let object = Object::new();
    for (name, text) in fields {
        set(&object, name, &JsValue::from_str(text));
    }
    object
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = URLSearchParams)]
    type Form;
    #[wasm_bindgen(constructor, catch, js_class = "URLSearchParams")]
    fn new(fields: &JsValue) -> Result<Form, JsValue>;
    #[wasm_bindgen(method, structural, js_name = toString)]
    fn text(this: &Form) -> String;
}
