//! Reads what a compact JWT says of itself (RFC 7519). Nothing is verified: only the server that
//! issued a token can say whether it is good.

use core::cell::Cell;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    endpoint::number,
    formats::{Formats, Members, Scalar, hash, mix},
};
use crate::core::{
    error::Error,
    grant::{MAX_LENGTH, epoch_seconds},
    record_text::decimal,
    token::Jwt,
};

/// Fingerprints are small enough for a record and for JavaScript.
const FINGERPRINT: u64 = (1 << 52) - 1;

/// Claims that differ in every token without telling anything about the user.
const VOLATILE: [&str; 4] = ["exp", "iat", "nbf", "jti"];

/// Parses the claims of `token` without verifying anything.
///
/// # Errors
/// The cause: longer than 1 MiB, not three segments, segments that are not base64 (in the alphabet of
/// URLs or the standard one, padded or not), not UTF-8, or not a JSON object.
pub fn claims<F: Formats>(token: &str) -> Result<F::Value, Error> {
    if token.len() > MAX_LENGTH {
        return Err(Error::TooLong);
    }
    let mut segments = token.as_bytes().split(|byte| *byte == b'.');
    let (Some(header), Some(payload), Some(signature), None) =
        (segments.next(), segments.next(), segments.next(), segments.next())
    else {
        return Err(Error::Segments);
    };
    let [header, payload, _] = [bytes(header)?, bytes(payload)?, bytes(signature)?];
    let [header, payload] = [text(header)?, text(payload)?];
    object::<F>(&header)?;
    object::<F>(&payload)
}

/// Reads the claims that the machine acts on, and gives all of them beside. What cannot be read is not
/// there, but a subject that changes shows whatever its type.
///
/// # Errors
/// As [`claims`].
pub fn read<F: Formats>(token: &str) -> Result<(Jwt, F::Value), Error> {
    let claims = claims::<F>(token)?;
    let members: Members = F::read(&claims).ok_or(Error::Json)?;
    let in_millis = Cell::new(false);
    let time = |name| {
        let given = number::<F>(members.get(name)).filter(|time| time.is_finite())?;
        let time = epoch_seconds(given);
        in_millis.set(in_millis.get() || time < given);
        Some(time)
    };
    let subject = members.iter().rfind(|(name, _)| *name == "sub");
    let subject = subject.and_then(|(_, member)| match &member.value {
        Scalar::Null | Scalar::Bool(false) => None,
        Scalar::Text(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Scalar::Number(number) if *number as i64 as f64 == *number => Some(decimal(*number as i64)),
        _ => Some(decimal((member.hash & FINGERPRINT) as i64)),
    });
    let jwt = Jwt {
        exp: time("exp"),
        iat: time("iat"),
        nbf: time("nbf"),
        session_expiry: time("session_expiry"),
        subject,
        fingerprint: fingerprint(&members),
        in_millis: in_millis.get(),
    };
    Ok((jwt, claims))
}

fn bytes(segment: &[u8]) -> Result<Vec<u8>, Error> {
    let padding = segment.iter().rev().take_while(|byte| **byte == b'=').count();
    let in_urls = |byte: &u8| match byte {
        b'+' => b'-',
        b'/' => b'_',
        byte => *byte,
    };
    let digits: Vec<_> = segment[..segment.len() - padding].iter().map(in_urls).collect();
    let mut bytes = Vec::new();
    // Four by four: the decoder's loops over many groups are 2 kB, which no token is worth.
    for group in digits.chunks(4) {
        let mut decoded = [0; 3];
        let length = URL_SAFE_NO_PAD
            .decode_slice_unchecked(group, &mut decoded)
            .map_err(|_| Error::Base64url)?;
        bytes.extend_from_slice(&decoded[..length]);
    }
    Ok(bytes)
}

fn text(bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|_| Error::Utf8)
}

fn object<F: Formats>(text: &str) -> Result<F::Value, Error> {
    // The parsers differ in what they take for an object.
    let object = text.bytes().find(|byte| !byte.is_ascii_whitespace()) == Some(b'{');
    F::parse_json(text).filter(|_| object).ok_or(Error::Json)
}

/// Changes when any claim but `exp`, `iat`, `nbf` and `jti` does; 1 without such claims. Summed, so
/// that the order of the members does not matter.
fn fingerprint(members: &Members) -> i64 {
    let telling = members.iter().filter(|(name, _)| !VOLATILE.contains(name));
    let sum = telling.fold(1_u64, |sum, (name, member)| {
        sum.wrapping_add(mix(hash(name.bytes()), member.hash) >> 12)
    });
    (sum & FINGERPRINT) as i64
}

#[cfg(all(test, not(target_family = "wasm")))]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::{super::native::NativeFormats, *};

    fn decode(token: &str) -> Result<Jwt, Error> {
        read::<NativeFormats>(token).map(|(jwt, _)| jwt)
    }

    pub(crate) fn jwt(payload: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part(r#"{"alg":"none"}"#), part(payload), part("signature"))
    }

    #[test]
    fn reads_the_times_and_the_subject() {
        let text = r#"{"sub":"ana","exp":1300819380.5,"iat":1,"nbf":-2,"session_expiry":9}"#;
        let jwt = decode(&jwt(text)).unwrap();
        assert_eq!((jwt.exp, jwt.iat, jwt.nbf), (Some(1_300_819_380.5), Some(1.0), Some(-2.0)));
        assert_eq!(jwt.session_expiry, Some(9.0));
        assert_eq!(jwt.subject.as_deref(), Some("ana"));
    }

    #[test]
    fn decodes_the_example_of_rfc_7519_section_3_1() {
        let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
                     eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
                     dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(decode(token).unwrap().exp, Some(1_300_819_380.0));
    }

    #[test]
    fn refuses_what_the_rfcs_refuse() {
        for token in
            ["", "a", "a.b", "a.b.c.d", "..", "e30.e=30.e30", "e30.e3 0.e30", "e31.e30.e30"]
        {
            assert!(decode(token).is_err(), "{token:?}");
        }
        // No number of this parser; the browser's reads it as infinite, which is no time.
        for payload in [r#"{"exp":1e400}"#, "[]"] {
            assert_eq!(decode(&jwt(payload)).err(), Some(Error::Json));
        }
        let long = |length| decode(&"a".repeat(length)).err();
        assert_eq!(long(MAX_LENGTH), Some(Error::Segments));
        assert_eq!(long(MAX_LENGTH + 1), Some(Error::TooLong));
        assert_eq!(long(MAX_LENGTH + 2), Some(Error::TooLong));
    }

    #[test]
    fn reads_what_is_not_quite_as_the_rfcs_say() {
        let read = |payload: &str| decode(&jwt(payload)).unwrap();
        let odd =
            read(r#"{"exp":"1300819380","iat":null,"nbf":{},"session_expiry":"soon","sub":null}"#);
        assert_eq!((odd.exp, odd.iat, odd.nbf), (Some(1_300_819_380.0), None, None));
        assert_eq!((odd.session_expiry, odd.subject, odd.in_millis), (None, None, false));
        let millis = read(r#"{"exp":1300819380000,"iat":1300819080}"#);
        assert_eq!((millis.exp, millis.iat), (Some(1_300_819_380.0), Some(1_300_819_080.0)));
        assert!(millis.in_millis);
        // {"sub":"a?b>","exp":1300819380} in the standard alphabet, padded.
        let token = "e30=.eyJzdWIiOiJhP2I+Iiwib25lIjoiPz8/IiwiZXhwIjoxMzAwODE5MzgwfQ==.e30";
        let standard = decode(token).unwrap();
        assert_eq!(
            (standard.subject.as_deref(), standard.exp),
            (Some("a?b>"), Some(1_300_819_380.0))
        );
    }

    #[test]
    fn another_subject_shows_whatever_its_type() {
        let subject = |sub: &str| decode(&jwt(&format!(r#"{{"sub":{sub}}}"#))).unwrap().subject;
        for (sub, expected) in [("42", "42"), ("-7", "-7"), ("\"42\"", "42"), ("42.0", "42")] {
            assert_eq!(subject(sub).as_deref(), Some(expected), "{sub}");
        }
        for nobody in ["null", "false", "\"\""] {
            assert_eq!(subject(nobody), None, "{nobody}");
        }
        let objects = ["{}", r#"{"id":1}"#, r#"{"id":2}"#];
        let odd = [&["true", "1.25", "1.5", "1e300", "1e301", "[]", "[1]"], &objects[..]].concat();
        let subjects: std::collections::BTreeSet<_> = odd.iter().map(|sub| subject(sub)).collect();
        assert_eq!(subjects.len(), odd.len());
        for subject in subjects {
            let number: u64 = subject.expect("it names somebody").parse().expect("a number");
            assert!(number <= FINGERPRINT, "as exact in JavaScript");
        }
    }

    #[test]
    fn refuses_trailing_bits_and_bytes_that_are_not_utf8() {
        assert!(decode("e30.e31.e30").is_err(), "non-zero trailing bits");
        let invalid = URL_SAFE_NO_PAD.encode([b'{', b'"', 0xff, b'"', b':', b'1', b'}']);
        assert!(decode(&format!("e30.{invalid}.e30")).is_err());
    }

    #[test]
    fn the_fingerprint_sees_claims_and_not_times() {
        let print = |payload: &str| decode(&jwt(payload)).unwrap().fingerprint;
        let first = print(r#"{"sub":"a","role":"x","exp":1,"jti":"1"}"#);
        assert_eq!(first, print(r#"{"jti":"2","exp":2,"role":"x","sub":"a","iat":5}"#));
        assert_ne!(first, print(r#"{"sub":"a","role":"y","exp":1,"jti":"1"}"#));
        assert_ne!(print(r#"{"a":1,"b":2}"#), print(r#"{"a":2,"b":1}"#));
        for role in 0..64 {
            let print = print(&format!(r#"{{"sub":"ana","org":"a","role":{role}}}"#));
            assert!((0..=FINGERPRINT as i64).contains(&print), "a record can hold it");
        }
    }

    proptest! {
        #[test]
        fn never_panics(token in "\\PC*", segments in "[A-Za-z0-9_-]{0,20}\\.[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,20}") {
            let _ = decode(&token);
            let _ = decode(&segments);
        }

        #[test]
        fn never_panics_on_any_payload(payload in "\\PC*") {
            let _ = decode(&jwt(&payload));
        }
    }
}
