//! The formats outside of a browser.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::formats::Formats;
use crate::core::clock::Millis;

/// `serde_json`, `form_urlencoded` and `httpdate`.
#[derive(Clone, Copy, Debug)]
pub struct NativeFormats;

impl Formats for NativeFormats {
    type Value = Arc<Value>;

    fn parse_json(text: &str) -> Option<Arc<Value>> {
        serde_json::from_str(text).ok().map(Arc::new)
    }

    fn read<T: DeserializeOwned>(value: &Arc<Value>) -> Option<T> {
        T::deserialize(value.as_ref()).ok()
    }

    fn write_object<T: AsRef<str> + Serialize>(fields: &[(T, T)]) -> String {
        let field = |(name, text): &(T, T)| (name.as_ref().to_owned(), text.as_ref().into());
        let fields = fields.iter().map(field);
        Value::Object(Map::from_iter(fields)).to_string()
    }

    fn write_form<T: AsRef<str> + Serialize>(fields: &[(T, T)]) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
    }

    fn parse_number(text: &str) -> Option<f64> {
        text.trim().parse().ok()
    }

    fn parse_date(text: &str) -> Option<Millis> {
        let since = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).ok();
        let millis = |since: Duration| Millis::try_from(since.as_millis()).ok();
        httpdate::parse_http_date(text).ok().and_then(since).and_then(millis)
    }
}
