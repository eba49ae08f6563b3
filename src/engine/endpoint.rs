//! The token endpoint: what is sent to it, and what its answers say.

use core::fmt;

use serde::Serialize;

use super::formats::{Formats, Members, Scalar};
use crate::core::{
    clock::Millis,
    effect::{RefreshRequest, RevokeRequest},
    grant::TokenResponse,
    ids::{Attempt, RevokeId},
    verdict::Refusal,
};

/// Longer bodies are not read; bytes.
pub(crate) const MAX_BODY: usize = 1 << 20;

/// Longer texts are no codes, and longer descriptions are cut.
const MAX_WORDS: usize = 200;

/// Where services put the code of an error.
const CODES: [&str; 6] =
    ["error", "error_code", "code", "error.code", "error.message", "errors.0.extensions.code"];

/// The response headers that are looked at.
pub const HEADERS: [&str; 6] = [
    "date",
    "retry-after",
    "x-retry-after",
    "x-ratelimit-reset",
    "x-rate-limit-reset",
    "x-retry-not-before",
];

/// A number of seconds from here on is a time since the epoch, no duration.
const EPOCH: f64 = 1e9;

/// Where refreshes go and how.
#[derive(Clone, Debug, Default)]
pub struct Endpoint {
    /// How the server wants to be asked.
    pub style: Style,
    /// Its address; not looked at for [`Style::Function`].
    pub url: String,
    /// `client_id`, for the styles with a body.
    pub client_id: Option<String>,
    /// Further request headers.
    pub headers: Vec<(String, String)>,
    /// As in `fetch`; by default `include` for cookies and `same-origin` else.
    pub credentials: Option<Credentials>,
    /// Where sign-out revokes (RFC 7009 for the styles with a body).
    pub revoke_url: Option<String>,
    /// Further body parameters.
    pub params: Vec<(String, String)>,
    /// How the rotation key travels; by default as a parameter for [`Style::OAuth2`], not at all for
    /// [`Style::Json`], and as a header else, to the page's own origin.
    pub rotation_key: Option<Carrier>,
    /// `url` is of another origin than the page: no header of ours goes there unless it is asked for.
    pub foreign: bool,
    /// So is `revoke_url`.
    pub revoke_foreign: bool,
}

/// How a token endpoint wants to be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// A form with `grant_type=refresh_token` (RFC 6749 section 6).
    #[default]
    OAuth2,
    /// A JSON object with `refresh_token`.
    Json,
    /// No body; the refresh token is an `HttpOnly` cookie.
    Cookie,
    /// No body; the valid access token as bearer.
    Renew,
    /// A function of the application.
    Function,
}

/// How the rotation key travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The parameter `rotation_key`.
    Param,
    /// The header `Idempotency-Key`.
    Header,
    /// Not at all.
    Off,
}

/// The credentials mode of a request, as in `fetch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// No cookies.
    Omit,
    /// Cookies for the page's own origin.
    SameOrigin,
    /// Cookies for any origin.
    Include,
}

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exchange {
    /// A refresh.
    Refresh(Attempt),
    /// The end of the session. The page may be on its way out: the request must outlive it.
    Revoke(RevokeId),
}

/// A POST request; caches are passed by, and redirects are not followed.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Where to.
    pub url: String,
    /// Names and values; no name comes twice.
    pub headers: Vec<(String, String)>,
    /// The body, if there is one.
    pub body: Option<String>,
    /// Which cookies go along.
    pub credentials: Credentials,
}

/// A response as it came.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// The status; 0 for a redirect that was not followed.
    pub status: u16,
    /// Those of [`HEADERS`] that are there, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
}

/// What a response says.
#[derive(Debug)]
pub(super) enum Judged {
    /// It was a success, and this is what it brought.
    Tokens(TokenResponse),
    /// It brought no tokens.
    Refused(Refusal, Refused),
}

/// An answer of the token endpoint that brought no tokens, for people. It holds no token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The HTTP status; 0 for a redirect.
    pub status: u16,
    /// The code of the error as it came, at most 200 characters; empty where there is none.
    pub error: String,
    /// `error_description` (RFC 6749 section 5.2), at most 200 characters.
    #[serde(rename = "errorDescription")]
    pub description: String,
}

impl Endpoint {
    const fn has_body(&self) -> bool {
        matches!(self.style, Style::OAuth2 | Style::Json)
    }

    /// The request for new tokens.
    pub(super) fn refresh<F: Formats>(&self, request: &RefreshRequest) -> Request {
        let carrier = self.rotation_key.unwrap_or(match self.style {
            Style::OAuth2 => Carrier::Param,
            Style::Cookie | Style::Renew if !self.foreign => Carrier::Header,
            // Strict services refuse members, and headers across origins, that they do not know.
            _ => Carrier::Off,
        });
        let mut fields = Fields::default();
        if self.style == Style::OAuth2 {
            fields.set("grant_type", "refresh_token");
        }
        if self.has_body() {
            fields.set_given("refresh_token", request.refresh_token.as_deref());
            fields.set_given("client_id", self.client_id.as_deref());
        }
        for (name, value) in &self.params {
            fields.set(name, value);
        }
        let mut headers = self.headers();
        if carrier == Carrier::Param {
            fields.set("rotation_key", &request.rotation_key);
        }
        if self.style == Style::Cookie && !self.foreign {
            headers.set("X-Everfresh", "1");
        }
        if self.style == Style::Renew {
            headers.bearer(request.access_token.as_deref());
        }
        if carrier == Carrier::Header {
            headers.set("Idempotency-Key", &request.rotation_key);
        }
        self.request::<F>(&self.url, headers, &fields, self.style == Style::Json)
    }

    /// The request that ends the session at the server, if it can be told.
    pub(super) fn revoke<F: Formats>(&self, request: &RevokeRequest) -> Option<Request> {
        let url = self.revoke_url.as_deref()?;
        let mut headers = self.headers();
        let mut fields = Fields::default();
        if self.has_body() {
            let hint = match &request.refresh_token {
                Some(_) => "refresh_token",
                None => "access_token",
            };
            let token = request.refresh_token.as_deref().or(request.access_token.as_deref());
            fields.set_given("token", token);
            fields.set("token_type_hint", hint);
            fields.set_given("client_id", self.client_id.as_deref());
        } else {
            if !self.revoke_foreign {
                headers.set("X-Everfresh", "1");
            }
            headers.bearer(request.access_token.as_deref());
        }
        if request.everywhere {
            fields.set("everywhere", "true");
        }
        // RFC 7009 knows forms only.
        Some(self.request::<F>(url, headers, &fields, false))
    }

    fn headers(&self) -> Fields {
        let mut headers = Fields::default();
        headers.set("Accept", "application/json");
        for (name, value) in &self.headers {
            headers.set(name, value);
        }
        headers
    }

    fn request<F: Formats>(
        &self,
        url: &str,
        mut headers: Fields,
        fields: &Fields,
        json: bool,
    ) -> Request {
        let fields = &fields.0;
        let body = if json {
            headers.set_default("Content-Type", "application/json");
            Some(F::write_object(fields))
        } else if fields.is_empty() {
            None
        } else {
            headers.set("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8");
            Some(F::write_form(fields))
        };
        let cookie = self.style == Style::Cookie;
        let usual = if cookie { Credentials::Include } else { Credentials::SameOrigin };
        let credentials = self.credentials.unwrap_or(usual);
        Request { url: url.to_owned(), headers: headers.0, body, credentials }
    }
}

impl Response {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// What it says; `wall` is the local time.
    pub(super) fn judge<F: Formats>(&self, wall: Millis) -> Judged {
        let text = Some(&self.body).filter(|body| body.len() <= MAX_BODY);
        let value = text.and_then(|body| F::parse_json(body));
        let members = value.as_ref().and_then(F::read::<Members>).unwrap_or_default();
        let status = self.status;
        if (200..300).contains(&status) {
            let tokens = tokens::<F>(&members);
            if !tokens.access_token.is_empty() {
                return Judged::Tokens(tokens);
            }
        }
        let codes =
            || CODES.into_iter().filter_map(|path| members.text(path)).filter(|it| !it.is_empty());
        let mut words: Vec<_> = codes().map(word).collect();
        if words.is_empty()
            && ["error", "errors"].iter().any(|name| given(members.get(name)).is_some())
        {
            words.push(String::new());
        }
        let is_page = self.body.trim_ascii_start().starts_with('<');
        let refused = Refused {
            status,
            error: codes().next().map(short).unwrap_or_default(),
            description: members.text("error_description").map(short).unwrap_or_default(),
        };
        let retry_after = self.retry_after::<F>(wall);
        Judged::Refused(Refusal { status, words, is_page, retry_after }, refused)
    }

    /// What the server's clock showed.
    pub(super) fn date<F: Formats>(&self) -> Option<Millis> {
        F::parse_date(self.header("date")?)
    }

    /// `Retry-After`, or where that is missing what services with a limit of their own send beside
    /// 429. Dates are counted on the server's clock where it shows.
    fn retry_after<F: Formats>(&self, wall: Millis) -> Option<Millis> {
        let headers = if self.status == 429 { &HEADERS[1..] } else { &HEADERS[1..2] };
        let value = headers.iter().find_map(|name| self.header(name))?;
        let now = || self.date::<F>().unwrap_or(wall);
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            let seconds = F::parse_number(value)?;
            let wait = crate::core::grant::millis(seconds);
            return Some(if seconds < EPOCH { wait } else { (wait - now()).max(0) });
        }
        Some((F::parse_date(value)? - now()).max(0))
    }
}

/// A code as codes are compared.
fn word(code: &str) -> String {
    let mut word = short(code).into_bytes();
    word.make_ascii_lowercase();
    word.iter_mut().filter(|byte| **byte == b'-').for_each(|byte| *byte = b'_');
    String::from_utf8(word).unwrap_or_default()
}

fn short(text: &str) -> String {
    let mut characters = 0;
    let too_many = |byte| {
        // All but the first of a character begin with 10.
        characters += usize::from(byte & 0xc0 != 0x80);
        characters > MAX_WORDS
    };
    let end = text.bytes().position(too_many).unwrap_or(text.len());
    text[..end].to_owned()
}

/// What stands for nothing is not there: null, false and empty text.
fn given(value: Option<&Scalar>) -> Option<&Scalar> {
    value.filter(|value| match value {
        Scalar::Null | Scalar::Bool(false) => false,
        Scalar::Text(text) => !text.is_empty(),
        _ => true,
    })
}

/// A number, in quotes or not; NaN where there is something else, `None` where there is nothing.
pub(super) fn number<F: Formats>(value: Option<&Scalar>) -> Option<f64> {
    Some(match given(value)? {
        Scalar::Number(number) => *number,
        Scalar::Text(text) => F::parse_number(text).unwrap_or(f64::NAN),
        _ => f64::NAN,
    })
}

/// The members of a token response (RFC 6749 section 5.1), or of what an application's function
/// gave, in whichever spelling is there.
pub(super) fn tokens<F: Formats>(members: &Members) -> TokenResponse {
    let find = |names: [&str; 2]| names.iter().find_map(|name| given(members.get(name)));
    let text = |names| match find(names)? {
        Scalar::Text(text) => Some(text.clone()),
        // What is no text is refused as one that cannot be a token.
        _ => Some("\0".to_owned()),
    };
    let seconds = |names| number::<F>(find(names));
    TokenResponse {
        access_token: text(["accessToken", "access_token"]).unwrap_or_default(),
        refresh_token: text(["refreshToken", "refresh_token"]),
        token_type: text(["tokenType", "token_type"]),
        expires_in: seconds(["expiresIn", "expires_in"]),
        expires_at: seconds(["expiresAt", "expires_at"]),
        refresh_in: seconds(["refreshIn", "refresh_in"]),
        session_expires_in: seconds(["sessionExpiresIn", "session_expires_in"]),
    }
}

/// Names and values, in order; a name that is set again keeps its place.
#[derive(Default)]
struct Fields(Vec<(String, String)>);

impl Fields {
    fn set(&mut self, name: &str, value: &str) {
        // Header names are alike in any case; no service has parameters that differ by case alone.
        match self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, old)) => value.clone_into(old),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
    }

    /// Unless the application has said otherwise.
    fn set_default(&mut self, name: &str, value: &str) {
        if !self.0.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            self.set(name, value);
        }
    }

    fn set_given(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    fn bearer(&mut self, token: Option<&str>) {
        if let Some(token) = token {
            self.set("Authorization", &("Bearer ".to_owned() + token));
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({})", self.url)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({})", self.status)
    }
}

#[cfg(test)]
mod tests;
