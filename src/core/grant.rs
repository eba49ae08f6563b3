//! What a login or a refresh brings: a token response (RFC 6749 section 5.1), parsed once.

use core::fmt;

use super::{clock::Millis, error::Error, token::Jwt};

/// The longest duration taken at its word, about 35,000 years; it keeps sums from overflowing.
const MAX_SECONDS: f64 = 1e12;

/// A token response as it arrived.
#[derive(Clone, Default)]
pub struct TokenResponse {
    /// `access_token`.
    pub access_token: String,
    /// `refresh_token`; absent means that the old one stays good (RFC 6749 section 6).
    pub refresh_token: Option<String>,
    /// `expires_in`, seconds.
    pub expires_in: Option<f64>,
    /// `refresh_in`, seconds: the server's wish when to refresh.
    pub refresh_in: Option<f64>,
    /// `session_expires_in`, seconds: the server's absolute limit.
    pub session_expires_in: Option<f64>,
}

/// A usable token set.
#[derive(Clone, PartialEq)]
pub struct Grant {
    /// The access token.
    pub access_token: String,
    /// What it says of itself; absent for opaque tokens.
    pub jwt: Option<Jwt>,
    /// The refresh token, if one came.
    pub refresh_token: Option<String>,
    /// How long it lives, if the response said so.
    pub expires_in: Option<Millis>,
    /// When to refresh, if the response said so.
    pub refresh_in: Option<Millis>,
    /// When the session ends, if the response said so.
    pub session_expires_in: Option<Millis>,
    /// The lead that the application computed for these claims; absent uses the policy's.
    pub lead: Option<Millis>,
}

impl Grant {
    /// Accepts a token response that can be used; `jwt` is what its access token says, or why it is
    /// no JWT.
    ///
    /// # Errors
    /// `InvalidToken` for an empty token, one with characters outside printable ASCII (RFC 6749
    /// appendix A.12), or a broken JWT; `NoExpiry` when nothing says how long it lives.
    pub fn accept(response: TokenResponse, jwt: Result<Jwt, Error>) -> Result<Self, Error> {
        let TokenResponse { access_token, refresh_token, .. } = response;
        if !printable(&access_token) || refresh_token.as_deref().is_some_and(|t| !printable(t)) {
            return Err(Error::Unprintable);
        }
        let expires_in = response.expires_in.map(duration);
        let jwt = match jwt {
            Ok(jwt) => Some(jwt),
            // Two dots alone make no JWT of an opaque token whose life is known.
            Err(_)
                if expires_in.is_some()
                    || access_token.bytes().filter(|byte| *byte == b'.').count() != 2 =>
            {
                None
            }
            Err(flaw) => return Err(flaw),
        };
        let exp = jwt.as_ref().and_then(|jwt| jwt.exp);
        if expires_in.is_none() && exp.is_none() {
            return Err(Error::NoExpiry);
        }
        if let (Some(exp), Some(nbf)) = (exp, jwt.as_ref().and_then(|jwt| jwt.nbf))
            && nbf >= exp
        {
            return Err(Error::NeverValid);
        }
        Ok(Self {
            access_token,
            jwt,
            refresh_token,
            expires_in,
            refresh_in: response.refresh_in.map(duration),
            session_expires_in: response.session_expires_in.map(duration),
            lead: None,
        })
    }

    /// The user it speaks for, if it says.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.jwt.as_ref()?.subject.as_deref()
    }

    /// How long the access token lives from the moment it was received. `wall` is the time of the
    /// server as well as it is known; `fresh` says that it was issued just now.
    pub(crate) fn lifetime(&self, wall: Millis, fresh: bool) -> Millis {
        if let Some(expires_in) = self.expires_in {
            return expires_in;
        }
        let Some(jwt) = &self.jwt else { return 0 };
        let Some(exp) = jwt.exp else { return 0 };
        let left = millis(exp) - wall;
        match jwt.iat {
            Some(iat) if fresh => millis(exp - iat),
            Some(iat) => left.min(millis(exp - iat)),
            None => left,
        }
    }
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenResponse(..)")
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Grant(..)")
    }
}

fn printable(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

/// Seconds as milliseconds; NaN is 0, the rest is clamped.
pub(crate) fn millis(seconds: f64) -> Millis {
    (seconds.clamp(-MAX_SECONDS, MAX_SECONDS) * 1_000.0) as Millis
}

fn duration(seconds: f64) -> Millis {
    millis(seconds).max(0)
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use super::*;
    use crate::engine::{
        jwt::{self, tests::jwt},
        native::NativeFormats,
    };

    fn parse(access_token: &str, expires_in: Option<f64>) -> Result<Grant, &'static str> {
        let access_token = access_token.to_owned();
        let jwt = jwt::read::<NativeFormats>(&access_token).map(|(jwt, _)| jwt);
        let response = TokenResponse { access_token, expires_in, ..TokenResponse::default() };
        Grant::accept(response, jwt).map_err(Error::code)
    }

    #[test]
    fn an_opaque_token_needs_a_lifetime() {
        assert_eq!(parse("opaque", None), Err("ERR_NO_EXPIRY"));
        assert_eq!(parse("opaque", Some(5.0)).unwrap().expires_in, Some(5_000));
        assert_eq!(parse("two.dots.inside", Some(5.0)).unwrap().jwt, None);
    }

    #[test]
    fn bad_tokens_are_refused_with_a_code() {
        assert_eq!(parse("", Some(5.0)), Err("ERR_INVALID_TOKEN"));
        assert_eq!(parse("line\nbreak", Some(5.0)), Err("ERR_INVALID_TOKEN"));
        assert_eq!(parse("a.b.c", None), Err("ERR_INVALID_TOKEN"));
        assert_eq!(parse(&jwt("{}"), None), Err("ERR_NO_EXPIRY"));
        assert_eq!(parse(&jwt(r#"{"exp":5,"nbf":5}"#), None), Err("ERR_INVALID_TOKEN"));
    }

    #[test]
    fn odd_durations_are_clamped() {
        assert_eq!(parse("x", Some(-5.0)).unwrap().expires_in, Some(0));
        assert_eq!(parse("x", Some(f64::NAN)).unwrap().expires_in, Some(0));
        assert_eq!(
            parse("x", Some(f64::INFINITY)).unwrap().expires_in,
            Some(1_000_000_000_000_000)
        );
    }

    #[test]
    fn lifetime_is_a_duration() {
        let token = jwt(r#"{"exp":1300,"iat":1000}"#);
        let grant = parse(&token, None).unwrap();
        assert_eq!(grant.lifetime(1_000_000, true), 300_000);
        assert_eq!(grant.lifetime(9_000_000, true), 300_000, "a fast clock does not shorten it");
        assert_eq!(grant.lifetime(1_100_000, false), 200_000, "a stored token has aged");
        assert_eq!(grant.lifetime(0, false), 300_000, "a slow clock does not lengthen it");
        assert_eq!(parse(&token, Some(60.0)).unwrap().lifetime(0, false), 60_000);
    }

    #[test]
    fn debug_output_holds_no_token() {
        let grant = parse("secret-token", Some(5.0)).unwrap();
        let response = TokenResponse { access_token: "secret-token".into(), ..Default::default() };
        assert_eq!(format!("{grant:?} {response:?}"), "Grant(..) TokenResponse(..)");
    }
}
