//! The formats of the platform: `JSON`, `Date`, forms, and serde between.

use js_sys::{Date, JSON};
use serde::{Serialize, de::DeserializeOwned};
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

use super::parsed::Parsed;
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
        T::deserialize(Parsed(value.clone())).ok()
    }

    fn write_object<T: Serialize>(fields: &[(T, T)]) -> String {
        JSON::stringify(&object(fields)).map(String::from).unwrap_or_default()
    }

    fn write_form<T: Serialize>(fields: &[(T, T)]) -> String {
        Form::new(&to_js(fields)).map(|form| form.text()).unwrap_or_default()
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

/// An object of texts.
pub(super) fn object(fields: &[impl Serialize]) -> JsValue {
    from_entries(&to_js(fields)).unwrap_or_default()
}

/// A Rust value as plain objects and arrays; what is absent is null.
pub(crate) fn to_js(value: &(impl Serialize + ?Sized)) -> JsValue {
    let serializer = Serializer::new().serialize_missing_as_null(true);
    value.serialize(&serializer).unwrap_or_default()
}

/// A value as any type that an application reads; `None` where it is another. The engine itself reads
/// with [`Parsed`], which knows less and is smaller.
#[cfg(feature = "web")]
pub(super) fn from_js<T: DeserializeOwned>(value: JsValue) -> Option<T> {
    serde_wasm_bindgen::from_value(value).ok()
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = Object, js_name = fromEntries)]
    fn from_entries(entries: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = URLSearchParams)]
    pub(super) type Form;
    #[wasm_bindgen(constructor, catch, js_class = "URLSearchParams")]
    pub(super) fn new(fields: &JsValue) -> Result<Form, JsValue>;
    #[wasm_bindgen(method, structural, js_name = toString)]
    pub(super) fn text(this: &Form) -> String;
}
