//! Reads what a compact JWT says of itself (RFC 7519), for front ends in Rust; the
//! browser shell has the platform's own parsers do it. Nothing is verified: only the server that
//! issued a token can say whether it is good.

use super::{base64url, error::Error, json};

/// Longer tokens are refused before any work is done on them.
const MAX_LENGTH: usize = 1 << 20;

/// Fingerprints are small enough for a record and for JavaScript.
const FINGERPRINT: i64 = (1 << 52) - 1;

/// Claims that differ in every token without telling anything about the user.
const VOLATILE: [&str; 4] = ["exp", "iat", "nbf", "jti"];

/// The claims that the machine acts on.
#[derive(Clone, PartialEq)]
pub struct Jwt {
    /// `exp`, seconds since the epoch, fractions allowed (RFC 7519 section 2, `NumericDate`).
    pub exp: Option<f64>,
    /// `iat`.
    pub iat: Option<f64>,
    /// `nbf`.
    pub nbf: Option<f64>,
    /// `session_expiry`: the server's absolute limit of the session.
    pub session_expiry: Option<f64>,
    /// `sub`.
    pub subject: Option<String>,
    /// Changes when any claim but `exp`, `iat`, `nbf` and `jti` does. 1 without such claims.
    pub fingerprint: i64,
}

impl core::fmt::Debug for Jwt {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Jwt(..)")
    }
}

impl Jwt {
    /// Decodes `token` without verifying it.
    ///
    /// # Errors
    /// The cause: not three segments, segments that are not unpadded base64url
    /// (RFC 7515 section 2), not UTF-8, not a JSON object, a duplicate member (RFC 7519 section
    /// 4), or a time that is not a finite number.
    pub fn decode(token: &str) -> Result<Self, Error> {
        if token.len() > MAX_LENGTH {
            return Err(Error::TooLong);
        }
        let mut segments = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (segments.next(), segments.next(), segments.next(), segments.next())
        else {
            return Err(Error::Segments);
        };
        unique_members(&text(header)?, |_, _| Some(()))?;
        bytes(signature)?;
        Self::parse(text(payload)?)
    }

    fn parse(payload: String) -> Result<Self, Error> {
        let mut jwt = Self {
            exp: None,
            iat: None,
            nbf: None,
            session_expiry: None,
            subject: None,
            fingerprint: 1,
        };
        unique_members(&payload, |key, value| {
            match key {
                "exp" => jwt.exp = Some(json::number(value)?),
                "iat" => jwt.iat = Some(json::number(value)?),
                "nbf" => jwt.nbf = Some(json::number(value)?),
                "session_expiry" => jwt.session_expiry = Some(json::number(value)?),
                "sub" => jwt.subject = Some(json::string(value)?),
                _ => {}
            }
            if !VOLATILE.contains(&key) {
                // Summed, so that the order of the members does not matter.
                let hash = hash(key.bytes().chain([0]).chain(value.bytes()));
                jwt.fingerprint = jwt.fingerprint.wrapping_add(hash) & FINGERPRINT;
            }
            Some(())
        })?;
        Ok(jwt)
    }
}

fn bytes(segment: &str) -> Result<Vec<u8>, Error> {
    base64url::decode(segment).ok_or(Error::Base64url)
}

fn text(segment: &str) -> Result<String, Error> {
    String::from_utf8(bytes(segment)?).map_err(|_| Error::Utf8)
}

fn unique_members<'a>(
    text: &'a str,
    mut member: impl FnMut(&str, &'a str) -> Option<()>,
) -> Result<(), Error> {
    let mut seen = Vec::<String>::new();
    let mut error = Error::Json;
    json::object(text, |key, value| {
        if seen.contains(&key) {
            error = Error::Duplicate;
            return None;
        }
        if member(&key, value).is_none() {
            error = Error::ClaimType;
            return None;
        }
        seen.push(key);
        Some(())
    })
    .ok_or(error)
}

/// FNV-1a: only ever compared with itself, on tokens of one session.
fn hash(bytes: impl Iterator<Item = u8>) -> i64 {
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash as i64 & FINGERPRINT
}

#[cfg(test)]
pub(crate) mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn jwt(payload: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part(r#"{"alg":"none"}"#), part(payload), part("signature"))
    }

    fn error(payload: &str) -> Error {
        Jwt::decode(&jwt(payload)).unwrap_err()
    }

    #[test]
    fn reads_the_times_and_the_subject() {
        let text = r#"{"sub":"ana","exp":1300819380.5,"iat":1,"nbf":-2,"session_expiry":9}"#;
        let jwt = Jwt::decode(&jwt(text)).unwrap();
        assert_eq!((jwt.exp, jwt.iat, jwt.nbf), (Some(1_300_819_380.5), Some(1.0), Some(-2.0)));
        assert_eq!(jwt.session_expiry, Some(9.0));
        assert_eq!(jwt.subject.as_deref(), Some("ana"));
    }

    #[test]
    fn decodes_the_example_of_rfc_7519_section_3_1() {
        let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
                     eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
                     dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(Jwt::decode(token).unwrap().exp, Some(1_300_819_380.0));
    }

    #[test]
    fn refuses_what_the_rfcs_refuse() {
        for token in
            ["", "a", "a.b", "a.b.c.d", "..", "e30.e30=.e30", "e30.e3 0.e30", "e31.e30.e30"]
        {
            assert!(Jwt::decode(token).is_err(), "{token:?}");
        }
        assert_eq!(error(r#"{"exp":1,"exp":2}"#), Error::Duplicate);
        assert_eq!(error(r#"{"exp":1,"\u0065xp":2}"#), Error::Duplicate);
        for payload in [r#"{"exp":"1"}"#, r#"{"exp":1e400}"#, r#"{"exp":null}"#, r#"{"sub":7}"#] {
            assert_eq!(error(payload), Error::ClaimType);
        }
        assert_eq!(error("[]"), Error::Json);
        let long = |length| Jwt::decode(&"a".repeat(length)).err();
        assert_eq!(long(MAX_LENGTH), Some(Error::Segments));
        assert_eq!(long(MAX_LENGTH + 1), Some(Error::TooLong));
        assert_eq!(long(MAX_LENGTH + 2), Some(Error::TooLong));
    }

    #[test]
    fn refuses_trailing_bits_and_bytes_that_are_not_utf8() {
        assert!(Jwt::decode("e30.e31.e30").is_err(), "non-zero trailing bits");
        let invalid = URL_SAFE_NO_PAD.encode([b'{', b'"', 0xff, b'"', b':', b'1', b'}']);
        assert!(Jwt::decode(&format!("e30.{invalid}.e30")).is_err());
    }

    #[test]
    fn the_fingerprint_sees_claims_and_not_times() {
        let print = |payload: &str| Jwt::decode(&jwt(payload)).unwrap().fingerprint;
        let first = print(r#"{"sub":"a","role":"x","exp":1,"jti":"1"}"#);
        assert_eq!(first, print(r#"{"jti":"2","exp":2,"role":"x","sub":"a","iat":5}"#));
        assert_ne!(first, print(r#"{"sub":"a","role":"y","exp":1,"jti":"1"}"#));
        assert_ne!(print(r#"{"a":1,"b":2}"#), print(r#"{"a":2,"b":1}"#));
    }

    proptest! {
        #[test]
        fn never_panics(token in "\\PC*", segments in "[A-Za-z0-9_-]{0,20}\\.[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,20}") {
            let _ = Jwt::decode(&token);
            let _ = Jwt::decode(&segments);
        }

        #[test]
        fn never_panics_on_any_payload(payload in "\\PC*") {
            let _ = Jwt::decode(&jwt(&payload));
        }
    }
}
