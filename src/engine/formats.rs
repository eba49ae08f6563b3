//! What comes from outside as text, and how it is read: liberally, and bounded.

use core::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::core::clock::Millis;

/// Values that are nested deeper are not looked at.
const DEPTH: u8 = 32;

/// The parsers of the platform: the browser's own, or those of [`native`](super::native).
pub trait Formats {
    /// A parsed JSON text. A clone refers to the same value.
    type Value: Clone + 'static;

    /// Parses a JSON text; `None` when it is none.
    fn parse_json(text: &str) -> Option<Self::Value>;

    /// Reads a parsed text as a Rust value; `None` when it has another shape.
    fn read<T: DeserializeOwned>(value: &Self::Value) -> Option<T>;

    /// Writes a JSON object of texts.
    fn write_object(fields: &[(&str, &str)]) -> String;

    /// Parses an HTTP date (RFC 9110 section 5.6.7): milliseconds since the Unix epoch.
    fn parse_date(text: &str) -> Option<Millis>;
}

/// The members of a JSON object, in order; of members with the same name the last one counts.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Members(Vec<(String, Member)>);

/// The value of one member.
#[derive(Clone, PartialEq)]
pub(super) struct Member {
    pub(super) value: Scalar,
    /// Differs for values that differ, also where `value` says only `Other`.
    pub(super) hash: u64,
}

/// As much of a JSON value as a session cares about.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// An array or an object.
    Other,
}

impl Members {
    pub(super) fn get(&self, name: &str) -> Option<&Scalar> {
        self.iter().rev().find(|(key, _)| *key == name).map(|(_, member)| &member.value)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Member)> {
        self.0.iter().map(|(key, member)| (key.as_str(), member))
    }

    /// A text; `None` where there is another type or nothing.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(key) = map.next_key()? {
                    members.push((key, map.next_value_seed(Level(DEPTH))?));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// Reads a value with this many levels below it.
#[derive(Clone, Copy)]
struct Level(u8);

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Member;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Member, D::Error> {
        if self.0 == 0 {
            IgnoredAny::deserialize(deserializer)?;
            return Ok(Member::new(Scalar::Other, 0));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Member;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Member, E> {
        Ok(Member::new(Scalar::Bool(value), 1 + u64::from(value)))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Member, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Member, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Member, E> {
        let hash = hash(value.to_bits().to_le_bytes().into_iter());
        Ok(Member::new(Scalar::Number(value), hash))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Member, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Member, E> {
        let hash = hash(value.bytes());
        Ok(Member::new(Scalar::Text(value), hash))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Member, E> {
        Ok(Member::new(Scalar::Null, 3))
    }

    fn visit_none<E: de::Error>(self) -> Result<Member, E> {
        self.visit_unit()
    }

    fn visit_bytes<E: de::Error>(self, value: &[u8]) -> Result<Member, E> {
        Ok(Member::new(Scalar::Other, hash(value.iter().copied())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Member, A::Error> {
        let mut sum = 5;
        while let Some(item) = seq.next_element_seed(Self(self.0 - 1))? {
            sum = mix(sum, item.hash);
        }
        Ok(Member::new(Scalar::Other, sum))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Member, A::Error> {
        let mut sum = 7_u64;
        while let Some(key) = map.next_key::<String>()? {
            let member = map.next_value_seed(Self(self.0 - 1))?;
            // Summed, so that the order of the members does not matter.
            sum = sum.wrapping_add(mix(hash(key.bytes()), member.hash));
        }
        Ok(Member::new(Scalar::Other, sum))
    }
}

impl Member {
    const fn new(value: Scalar, hash: u64) -> Self {
        Self { value, hash }
    }
}

/// FNV-1a: only ever compared with itself, on tokens of one session.
pub(super) fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| mix(hash, byte.into()))
}

/// One step of it.
pub(super) const fn mix(hash: u64, value: u64) -> u64 {
    (hash ^ value).wrapping_mul(0x0100_0000_01b3)
}
