//! Values of `JSON.parse`, as serde reads them. serde-wasm-bindgen's reader says in words what it
//! cannot read, floats and all: 6.8 kB in an application, for words that no user sees.

use core::fmt::{self, Display};

use js_sys::{Array, Object};
use serde::{
    Deserializer,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor, value::StringDeserializer},
    forward_to_deserialize_any,
};
use wasm_bindgen::{JsCast, JsValue};

/// A parsed value: null, a boolean, a number, a text, an array or an object of such. Undefined is
/// null; anything else cannot be read.
pub(super) struct Parsed(pub(super) JsValue);

/// The value has another shape.
#[derive(Debug)]
pub(super) struct Unreadable;

impl<'de> Deserializer<'de> for Parsed {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        let Self(value) = self;
        if let Some(text) = value.as_string() {
            visitor.visit_string(text)
        } else if let Some(number) = value.as_f64() {
            visitor.visit_f64(number)
        } else if let Some(truth) = value.as_bool() {
            visitor.visit_bool(truth)
        } else if Array::is_array(&value) {
            visitor.visit_seq(Items::of(value.unchecked_into()))
        } else if value.is_object() {
            visitor.visit_map(Items::of(Object::entries(value.unchecked_ref())))
        } else if value.is_null() || value.is_undefined() {
            visitor.visit_unit()
        } else {
            Err(Unreadable)
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
    }
}

/// The items of an array, or the entries of an object.
struct Items {
    list: Array,
    next: u32,
    /// Of the entry whose name was read.
    value: JsValue,
}

impl Items {
    const fn of(list: Array) -> Self {
        Self { list, next: 0, value: JsValue::UNDEFINED }
    }

    fn take(&mut self) -> Option<JsValue> {
        let at = self.next;
        self.next += 1;
        (at < self.list.length()).then(|| self.list.get(at))
    }
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Unreadable;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unreadable> {
        self.take().map(|item| seed.deserialize(Parsed(item))).transpose()
    }
}

impl<'de> MapAccess<'de> for Items {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Unreadable> {
        let Some(entry) = self.take() else { return Ok(None) };
        let entry: Array = entry.unchecked_into();
        self.value = entry.get(1);
        let name = entry.get(0).as_string().unwrap_or_default();
        seed.deserialize(StringDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<T::Value, Unreadable> {
        seed.deserialize(Parsed(self.value.clone()))
    }
}

impl de::Error for Unreadable {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

impl Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value has another shape")
    }
}

impl core::error::Error for Unreadable {}
