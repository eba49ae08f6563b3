//! What comes from outside as text, and how it is read: liberally, and bounded.

use core::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
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
    fn write_object<T: AsRef<str> + Serialize>(fields: &[(T, T)]) -> String;

    /// Writes `application/x-www-form-urlencoded`; no name comes twice.
    fn write_form<T: AsRef<str> + Serialize>(fields: &[(T, T)]) -> String;

    /// Parses a number that is written out, such as `3600` or `1.5`.
    fn parse_number(text: &str) -> Option<f64>;

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
    /// Differs for values that differ, also where `value` does not hold all of it.
    pub(super) hash: u64,
}

/// As much of a JSON value as a session cares about.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// An object, or an array: of that only the first item, as the member `0`.
    Nested(Members),
}

impl Members {
    pub(super) fn get(&self, name: &str) -> Option<&Scalar> {
        self.iter().rev().find(|(key, _)| *key == name).map(|(_, member)| &member.value)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Member)> {
        self.0.iter().map(|(key, member)| (key.as_str(), member))
    }

    /// A text; `None` where there is another type or nothing. A path such as `error.code` leads into
    /// what is nested.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        match self.get(path) {
            Some(Scalar::Text(text)) => Some(text),
            Some(_) => None,
            None => {
                let dot = path.bytes().position(|byte| byte == b'.')?;
                match self.get(&path[..dot])? {
                    Scalar::Nested(members) => members.text(&path[dot + 1..]),
                    _ => None,
                }
            }
        }
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Members(..)")
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

        // Not `deserialize_map`: in JavaScript that takes an array of pairs as well.
        deserializer.deserialize_any(Object)
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
            return Ok(Member::new(Scalar::Nested(Members::default()), 0));
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
        Ok(Member::new(Scalar::Nested(Members::default()), hash(value.iter().copied())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Member, A::Error> {
        let mut sum = 5;
        let mut first = Members::default();
        while let Some(item) = seq.next_element_seed(Self(self.0 - 1))? {
            sum = mix(sum, item.hash);
            if first.0.is_empty() {
                first.0.push(("0".to_owned(), item));
            }
        }
        Ok(Member::new(Scalar::Nested(first), sum))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Member, A::Error> {
        let mut sum = 7_u64;
        let mut members = Members::default();
        while let Some(key) = map.next_key::<String>()? {
            let member = map.next_value_seed(Self(self.0 - 1))?;
            // Summed, so that the order of the members does not matter.
            sum = sum.wrapping_add(mix(hash(key.bytes()), member.hash));
            members.0.push((key, member));
        }
        Ok(Member::new(Scalar::Nested(members), sum))
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

#[cfg(test)]
mod tests {
    use super::{super::native::NativeFormats, *};

    fn members(text: &str) -> Option<Members> {
        NativeFormats::read(&NativeFormats::parse_json(text)?)
    }

    fn hash_of(value: &str) -> u64 {
        let members = members(&format!(r#"{{"m":{value}}}"#)).expect("an object");
        members.iter().map(|(_, member)| member.hash).next().expect("a member")
    }

    #[test]
    fn an_object_is_read_member_by_member() {
        let members =
            members(r#"{"a":"x","b":-1.5,"c":true,"d":null,"e":[{"h":"y"},2],"f":{"g":"z"}}"#)
                .unwrap();
        let text = |text: &str| Scalar::Text(text.to_owned());
        for (name, value) in [
            ("a", text("x")),
            ("b", Scalar::Number(-1.5)),
            ("c", Scalar::Bool(true)),
            ("d", Scalar::Null),
        ] {
            assert_eq!(members.get(name), Some(&value), "{name}");
        }
        let texts = ["a", "b", "g", "f.g", "f", "e.0.h", "e.1", "e.0", "a.b", "f.g.h"];
        let found = texts.map(|path| members.text(path));
        assert_eq!(found[..6], [Some("x"), None, None, Some("z"), None, Some("y")]);
        assert_eq!(found[6..], [None; 4]);
    }

    #[test]
    fn of_members_with_one_name_the_last_counts() {
        // Most parsers drop the others; this one shows them.
        let members: Members = serde_json::from_str(r#"{"a":"x","\u0061":null,"a":7}"#).unwrap();
        assert_eq!(members.get("a"), Some(&Scalar::Number(7.0)));
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        for text in ["", "null", "7", "\"a\"", "[]", "[{}]", "{", "{}{}", "{'a':1}", "\u{feff}{}"] {
            assert!(members(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn hashes_tell_values_apart_and_not_the_ways_to_write_them() {
        let values = [
            "null",
            "true",
            "false",
            "0",
            "1",
            "-1",
            "\"\"",
            "\"1\"",
            "[]",
            "[1]",
            "[1,2]",
            "[2,1]",
            "[[1],2]",
            "{}",
            r#"{"a":1}"#,
            r#"{"a":2}"#,
            r#"{"b":1}"#,
            r#"{"a":[{"b":null}]}"#,
        ];
        for (at, value) in values.iter().enumerate() {
            for other in &values[at + 1..] {
                assert_ne!(hash_of(value), hash_of(other), "{value} {other}");
            }
        }
        for (value, same) in [
            ("1", "1.0"),
            ("1", "1e0"),
            ("\"a\"", "\"\\u0061\""),
            (r#"{"a":1,"b":2}"#, r#"{ "b": 2, "a": 1 }"#),
        ] {
            assert_eq!(hash_of(value), hash_of(same), "{value} {same}");
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_not_looked_at() {
        let depth = usize::from(DEPTH);
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let nested =
                |depth: usize, core: &str| open.repeat(depth) + core + &close.repeat(depth);
            assert_ne!(hash_of(&nested(depth - 1, "1")), hash_of(&nested(depth - 1, "2")));
            assert_eq!(hash_of(&nested(depth, "1")), hash_of(&nested(depth, "2")));
            assert!(members(&format!(r#"{{"m":{}}}"#, nested(100_000, "1"))).is_none());
        }
    }

    #[test]
    fn members_are_not_printed() {
        assert_eq!(format!("{:?}", members(r#"{"access_token":"x"}"#)), "Some(Members(..))");
    }

    #[test]
    fn an_object_of_texts_is_written_so_that_it_can_be_read() {
        let fields = [("b", "\"\\\n\u{0}ü"), ("a", ""), ("a\"", "x")];
        let members = members(&NativeFormats::write_object(&fields)).unwrap();
        for (name, text) in fields {
            assert_eq!(members.text(name), Some(text));
        }
        assert_eq!(members.iter().count(), fields.len());
    }

    #[test]
    fn dates_are_those_of_http() {
        for (text, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777_000)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777_000)),
            ("Sun Nov  6 08:49:37 1994", Some(784_111_777_000)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(253_402_300_799_000)),
            ("Wed, 31 Dec 1969 23:59:59 GMT", None),
            ("1994-11-06T08:49:37Z", None),
            ("784111777", None),
            ("", None),
        ] {
            assert_eq!(NativeFormats::parse_date(text), expected, "{text}");
        }
    }
}
