//! What a login or a refresh brings: a token response (RFC 6749 section 5.1), parsed once.

use core::fmt;

use super::{clock::Millis, error::Error, token::Jwt};

/// The longest duration taken at its word, about 35,000 years; it keeps sums from overflowing.
const MAX_SECONDS: f64 = 1e12;

/// No token is longer; bytes.
pub(crate) const MAX_LENGTH: usize = 1 << 20;

/// The year 5000: a time beyond it is one in milliseconds.
const MILLISECONDS_FROM: f64 = 95_617_584_000.0;

/// Lifetimes that differ by no more than this agree.
const ODD: Millis = 60_000;

/// The lifetime of a token whose end is not known: it is used until a 401.
pub(crate) const ENDLESS: Millis = 1 << 60;

/// A token response as it arrived.
#[derive(Clone, Default)]
pub struct TokenResponse {
    /// `access_token`; may be empty where a refresh token is there to get one with.
    pub access_token: String,
    /// `refresh_token`; absent or empty means that the old one stays good (RFC 6749 section 6).
    pub refresh_token: Option<String>,
    /// `token_type`: `bearer`, in any case, or not there.
    pub token_type: Option<String>,
    /// `expires_in`, seconds; here and below NaN stands for what is no number.
    pub expires_in: Option<f64>,
    /// `expires_at`, seconds since the epoch.
    pub expires_at: Option<f64>,
    /// `refresh_in`, seconds: the server's wish when to refresh.
    pub refresh_in: Option<f64>,
    /// `session_expires_in`, seconds: the server's absolute limit.
    pub session_expires_in: Option<f64>,
}

/// A usable token set.
#[derive(Clone, PartialEq)]
pub struct Grant {
    /// The access token; empty where the first one is still to be got.
    pub access_token: String,
    /// What it says of itself; absent for opaque tokens.
    pub jwt: Option<Jwt>,
    /// The refresh token, if one came.
    pub refresh_token: Option<String>,
    /// How long it lives, if the response said so.
    pub expires_in: Option<Millis>,
    /// When it ends by the server's clock, if it or the response said so.
    pub expires_at: Option<Millis>,
    /// What the server's clock showed, if the response said so.
    pub date: Option<Millis>,
    /// When to refresh, if the response said so.
    pub refresh_in: Option<Millis>,
    /// When the session ends, if the response said so.
    pub session_expires_in: Option<Millis>,
    /// The lead that the application computed for these claims; absent uses the policy's.
    pub lead: Option<Millis>,
}

/// What can take a token's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heals {
    /// Nothing: what cannot be used as it is, is refused.
    Nothing,
    /// A refresh heals a 401.
    Unauthorized,
    /// A refresh token that came along brings the first token as well.
    Missing,
}

impl TokenResponse {
    /// Takes off what is no part of the token: `Bearer `.
    pub(crate) fn strip(&mut self) {
        let token = self.access_token.trim_ascii();
        let prefix = token.get(..7).filter(|prefix| prefix.eq_ignore_ascii_case("bearer "));
        self.access_token = token[prefix.map_or(0, str::len)..].trim_ascii_start().to_owned();
        self.refresh_token = self.refresh_token.take().filter(|token| !token.is_empty());
    }
}

impl Grant {
    /// Accepts a token response that can be used; `jwt` is what its access token says, or why it is
    /// no JWT.
    ///
    /// # Errors
    /// `ERR_INVALID_TOKEN` for a token that is empty or holds what no token holds, for one of a type
    /// that is not bearer, for a duration that is no number, and for a JWT that is never valid;
    /// `ERR_NO_EXPIRY` when nothing says how long it lives, and nothing heals the 401 that would.
    pub fn accept(
        mut response: TokenResponse,
        jwt: Result<Jwt, Error>,
        heals: Heals,
    ) -> Result<Self, Error> {
        response.strip();
        let TokenResponse { access_token, refresh_token, token_type, .. } = response;
        let missing = access_token.is_empty() && refresh_token.is_some() && heals == Heals::Missing;
        if !missing && !sendable(&access_token) {
            return Err(Error::AccessToken);
        }
        if refresh_token.as_deref().is_some_and(|token| !sendable(token)) {
            return Err(Error::RefreshToken);
        }
        if token_type.is_some_and(|it| !it.is_empty() && !it.eq_ignore_ascii_case("bearer")) {
            return Err(Error::TokenType);
        }
        let duration = |seconds: Option<f64>, flaw| match seconds {
            Some(seconds) if seconds.is_nan() => Err(flaw),
            seconds => Ok(seconds.map(|seconds| millis(seconds).max(0))),
        };
        // A token that was just received has not run out: then the number says something else.
        let expires_in = duration(response.expires_in, Error::ExpiresIn)?.filter(|it| *it > 0);
        let flaw = jwt.as_ref().err().copied();
        let jwt = jwt.ok();
        let exp = jwt.as_ref().and_then(|jwt| jwt.exp);
        let stated = response.expires_at.filter(|at| at.is_finite()).map(epoch_seconds);
        let expires_at = exp.into_iter().chain(stated).map(millis).min();
        if expires_in.is_none() && expires_at.is_none() && heals == Heals::Nothing {
            // Two dots make a JWT of it, that should have said so.
            let dots = access_token.bytes().filter(|byte| *byte == b'.').count();
            return Err(flaw.filter(|_| dots == 2).unwrap_or(Error::NoExpiry));
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
            expires_at,
            date: None,
            refresh_in: duration(response.refresh_in, Error::RefreshIn)?,
            session_expires_in: duration(response.session_expires_in, Error::SessionExpiresIn)?,
            lead: None,
        })
    }

    /// The user it speaks for, if it says.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.jwt.as_ref()?.subject.as_deref()
    }

    /// When the access token was issued, by the server's clock.
    pub(crate) fn issued_at(&self) -> Option<Millis> {
        self.jwt.as_ref()?.iat.map(millis)
    }

    /// Whether its times are in milliseconds, or it lives for much less than the response says.
    pub(crate) fn has_odd_times(&self) -> bool {
        self.jwt.as_ref().is_some_and(|jwt| jwt.in_millis)
            || self.expires_in.unwrap_or(0) > self.whole().unwrap_or(ENDLESS) + ODD
    }

    /// From when the token was issued to its end.
    #[inline(never)]
    fn whole(&self) -> Option<Millis> {
        Some(self.expires_at? - self.issued_at()?).filter(|whole| *whole > 0)
    }

    /// How long the access token lives when the server's clock shows `server`: the shortest of what
    /// is known.
    pub(crate) fn remaining(&self, server: Millis) -> Millis {
        let left = self.expires_at.map(|at| at - server);
        let known = [self.expires_in, left, self.whole()];
        known.into_iter().flatten().min().unwrap_or(ENDLESS).max(0)
    }
}

/// A time since the epoch in seconds, also where it was given in milliseconds.
pub(crate) fn epoch_seconds(time: f64) -> f64 {
    if time > MILLISECONDS_FROM { time / 1_000.0 } else { time }
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

/// Whether it can be sent: no spaces, no control characters, nothing beyond ASCII (RFC 6750 section
/// 2.1), no quotes, which stand around a token that was written as JSON, and no megabytes.
fn sendable(token: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\'';
    (1..=MAX_LENGTH).contains(&token.len()) && token.bytes().all(fits)
}

/// Seconds as milliseconds; NaN is 0, the rest is clamped.
pub(crate) fn millis(seconds: f64) -> Millis {
    (seconds.clamp(-MAX_SECONDS, MAX_SECONDS) * 1_000.0) as Millis
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use super::*;
    use crate::engine::{
        jwt::{self, tests::jwt},
        native::NativeFormats,
    };

    fn with(response: TokenResponse, heals: Heals) -> Result<Grant, Error> {
        let jwt = jwt::read::<NativeFormats>(&response.access_token).map(|(jwt, _)| jwt);
        Grant::accept(response, jwt, heals)
    }

    fn parse(access_token: &str, expires_in: Option<f64>) -> Result<Grant, &'static str> {
        let access_token = access_token.to_owned();
        let response = TokenResponse { access_token, expires_in, ..TokenResponse::default() };
        with(response, Heals::Nothing).map_err(Error::code)
    }

    fn full() -> TokenResponse {
        TokenResponse {
            access_token: "access".to_owned(),
            refresh_token: Some("refresh".to_owned()),
            expires_in: Some(300.0),
            ..TokenResponse::default()
        }
    }

    #[test]
    fn an_opaque_token_needs_a_lifetime_or_something_that_heals() {
        assert_eq!(parse("opaque", None), Err("ERR_NO_EXPIRY"));
        assert_eq!(parse("opaque", Some(0.0)), Err("ERR_NO_EXPIRY"));
        assert_eq!(parse("opaque", Some(5.0)).unwrap().expires_in, Some(5_000));
        assert_eq!(parse("two.dots.inside", Some(5.0)).unwrap().jwt, None);
        for access_token in ["opaque", "two.dots.inside"] {
            let opaque =
                TokenResponse { access_token: access_token.to_owned(), expires_in: None, ..full() };
            let grant = with(opaque, Heals::Unauthorized).unwrap();
            assert_eq!((grant.remaining(7), grant.jwt), (ENDLESS, None));
        }
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
    fn what_cannot_work_is_refused_by_its_field() {
        let access = |token: &str| TokenResponse { access_token: token.to_owned(), ..full() };
        for token in ["", " ", "\"a\"", "'a'", "a b", "a\u{7f}", "\u{e9}", "Bearer a b", "bearer"] {
            let expected = if token == "bearer" { None } else { Some(Error::AccessToken) };
            assert_eq!(with(access(token), Heals::Unauthorized).err(), expected, "{token:?}");
        }
        let refresh =
            |token: &str| TokenResponse { refresh_token: Some(token.to_owned()), ..full() };
        assert_eq!(with(refresh("a b"), Heals::Unauthorized), Err(Error::RefreshToken));
        let [longest, longer] = [0, 1].map(|more| "a".repeat(MAX_LENGTH + more));
        for response in [access(&longest), refresh(&longest)] {
            assert!(with(response, Heals::Unauthorized).is_ok());
        }
        assert_eq!(with(access(&longer), Heals::Unauthorized), Err(Error::AccessToken));
        assert_eq!(with(refresh(&longer), Heals::Unauthorized), Err(Error::RefreshToken));
        for (kind, refused) in [("Bearer", false), ("bearer", false), ("", false), ("mac", true)] {
            let response = TokenResponse { token_type: Some(kind.to_owned()), ..full() };
            let expected = refused.then_some(Error::TokenType);
            assert_eq!(with(response, Heals::Unauthorized).err(), expected, "{kind}");
        }
        let nan = Some(f64::NAN);
        for (response, flaw) in [
            (TokenResponse { expires_in: nan, ..full() }, Error::ExpiresIn),
            (TokenResponse { refresh_in: nan, ..full() }, Error::RefreshIn),
            (TokenResponse { session_expires_in: nan, ..full() }, Error::SessionExpiresIn),
        ] {
            assert_eq!(with(response, Heals::Unauthorized), Err(flaw));
        }
    }

    #[test]
    fn what_is_no_part_of_a_token_is_taken_off() {
        for token in ["Bearer access", "bearer   access", " access "] {
            let response = TokenResponse { access_token: token.to_owned(), ..full() };
            assert_eq!(with(response, Heals::Nothing).unwrap().access_token, "access");
        }
        let response = TokenResponse { refresh_token: Some(String::new()), ..full() };
        assert_eq!(with(response, Heals::Nothing).unwrap().refresh_token, None);
    }

    #[test]
    fn a_refresh_token_alone_is_enough_where_it_is_what_a_refresh_needs() {
        let alone = || TokenResponse { access_token: String::new(), expires_in: None, ..full() };
        assert!(with(alone(), Heals::Missing).is_ok());
        assert_eq!(with(alone(), Heals::Unauthorized), Err(Error::AccessToken));
    }

    #[test]
    fn odd_durations_are_clamped() {
        assert_eq!(parse(&jwt(r#"{"exp":9}"#), Some(-5.0)).unwrap().expires_in, None);
        assert_eq!(
            parse("x", Some(f64::INFINITY)).unwrap().expires_in,
            Some(1_000_000_000_000_000)
        );
    }

    #[test]
    fn of_lifetimes_that_disagree_the_shortest_counts() {
        let token = jwt(r#"{"exp":1300,"iat":1000}"#);
        let grant = parse(&token, None).unwrap();
        assert_eq!(grant.remaining(1_000_000), 300_000);
        assert_eq!(grant.remaining(1_100_000), 200_000, "a stored token has aged");
        assert_eq!(grant.remaining(0), 300_000, "a slow clock does not lengthen it");
        assert_eq!(grant.remaining(9_000_000), 0);
        assert_eq!(parse(&token, Some(60.0)).unwrap().remaining(1_000_000), 60_000);
        assert_eq!(parse(&token, Some(300_000.0)).unwrap().remaining(1_000_000), 300_000);
        let stated = |at| with(TokenResponse { expires_at: Some(at), ..full() }, Heals::Nothing);
        assert_eq!(stated(1_100.0).unwrap().remaining(1_000_000), 100_000);
        assert_eq!(stated(f64::NAN).unwrap().remaining(1_000_000), 300_000);
        let now = 1_767_225_600.0;
        assert_eq!(stated((now + 60.0) * 1_000.0).unwrap().remaining(1_767_225_600_000), 60_000);
    }

    #[test]
    fn debug_output_holds_no_token() {
        let grant = parse("secret-token", Some(5.0)).unwrap();
        let response = TokenResponse { access_token: "secret-token".into(), ..Default::default() };
        assert_eq!(format!("{grant:?} {response:?}"), "Grant(..) TokenResponse(..)");
    }
}
