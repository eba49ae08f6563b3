//! What goes over the wire, as a token service of its own reads and writes it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    time::{Duration, UNIX_EPOCH},
};

use everfresh::{
    core::clock::Millis,
    engine::endpoint::{Carrier, Credentials, Endpoint, Request, Response, Style},
};

use everfresh_server::rotation::SessionId;

use crate::{
    foreign::{Foreign, Refusal},
    server::{EPOCH, Reply},
};

/// How a server wants to be asked, and what its answers look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wire {
    /// Refreshes are JSON, and not forms.
    pub json: bool,
    /// The rotation key travels in a header.
    pub key_in_header: bool,
    /// What its access tokens are.
    pub tokens: Tokens,
    /// Names are written the way that JavaScript does.
    pub camel: bool,
    /// Durations are texts.
    pub texts: bool,
    /// There is more in an answer than anybody has asked for.
    pub more: bool,
    /// The refresh token is a cookie that no script sees.
    pub cookie: bool,
    /// There are no refresh tokens: a session is one access token.
    pub lapses: bool,
    /// It is a service of other people, which knows no rotation keys.
    pub foreign: Option<Foreign>,
}

/// What access tokens are, and where their life stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tokens {
    /// JWTs, their life beside them.
    #[default]
    Jwt,
    /// JWTs, their life in `exp` alone.
    ExpAlone,
    /// Nobody's business, their life beside them.
    Opaque,
    /// The same, with two dots in them.
    Dotted,
    /// No format that a client reads, and nothing says how long they live.
    Endless,
}

/// What a refresh request says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) token: String,
    /// Empty where a service of other people takes none.
    pub(crate) key: String,
    /// The access token of the tab that asks; it does not travel.
    pub(crate) access_token: Option<String>,
    /// When it left, the refresh token had been good for nothing yet. Nor does this travel.
    pub(crate) unspent: bool,
}

/// A response under way, and what the world knows of it.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// `None` where the network fails.
    pub(crate) response: Option<Response>,
    /// It brings tokens.
    pub(crate) granted: bool,
    pub(crate) patience: Patience,
    /// The cookie that it sets.
    pub(crate) cookie: Option<String>,
    /// The session that it is about, at a service of other people.
    pub(crate) sid: Option<SessionId>,
}

/// How long a server asks to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// It does not, or not in a way that anybody could read.
    Unsaid,
    /// For so long from when this is heard.
    For(Millis),
    /// Until then, virtual milliseconds.
    Until(Millis),
}

impl Wire {
    pub(crate) fn endpoint(&self) -> Endpoint {
        if self.cookie {
            return Endpoint {
                style: Style::Cookie,
                url: "/auth/refresh".to_owned(),
                revoke_url: Some("/auth/logout".to_owned()),
                ..Endpoint::default()
            };
        }
        Endpoint {
            style: if self.json { Style::Json } else { Style::OAuth2 },
            url: "/oauth/token".to_owned(),
            revoke_url: Some("/oauth/revoke".to_owned()),
            // What the style does by default is what such a service gets.
            rotation_key: if self.foreign.is_some() {
                None
            } else if self.key_in_header {
                Some(Carrier::Header)
            } else {
                Some(Carrier::Param)
            },
            ..Endpoint::default()
        }
    }

    /// The same kind of service, with nothing odd in how it writes.
    #[must_use]
    pub fn plain(&self) -> Self {
        let Self { cookie, lapses, foreign, .. } = *self;
        Self { cookie, lapses, foreign, ..Self::default() }
    }

    /// What a server understands of a refresh with these cookies; `None` when it is no such request.
    pub(crate) fn refresh(&self, request: &Request, jar: Option<&str>) -> Option<Asked> {
        if self.cookie {
            let known = request.url == "/auth/refresh"
                && header(request, "X-Everfresh") == Some("1")
                && request.credentials == Credentials::Include
                && request.body.is_none();
            let key = header(request, "Idempotency-Key")?.to_owned();
            let token = jar.unwrap_or_default().to_owned();
            return known.then_some(Asked { token, key, ..Asked::default() });
        }
        let mut fields = fields(request, self.json)?;
        let known = request.url == "/oauth/token"
            && header(request, "Accept") == Some("application/json")
            && (self.json || fields.get("grant_type").is_some_and(|it| it == "refresh_token"));
        let in_header = header(request, "Idempotency-Key").map(str::to_owned);
        let in_body = fields.remove("rotation_key");
        if self.foreign.is_some() {
            let token = fields.remove("refresh_token")?;
            return known.then_some(Asked { token, ..Asked::default() });
        }
        let (key, other) =
            if self.key_in_header { (in_header, in_body) } else { (in_body, in_header) };
        let token = fields.remove("refresh_token")?;
        let asked = Asked { token, key: key?, ..Asked::default() };
        (known && other.is_none()).then_some(asked)
    }

    /// The token that a revocation names; `None` when it is no such request.
    pub(crate) fn revoke(&self, request: &Request, jar: Option<&str>) -> Option<String> {
        if self.cookie {
            let known =
                request.url == "/auth/logout" && header(request, "X-Everfresh") == Some("1");
            let bearer = header(request, "Authorization").and_then(|it| it.strip_prefix("Bearer "));
            return known.then(|| bearer.or(jar).unwrap_or_default().to_owned());
        }
        let mut fields = fields(request, false)?;
        let known = request.url == "/oauth/revoke" && fields.contains_key("token_type_hint");
        fields.remove("token").filter(|_| known)
    }

    /// What a server says.
    pub(crate) fn letter(&self, reply: &Reply) -> Letter {
        let (status, body) = match reply {
            Reply::Granted(granted) => {
                let mut members = Members::default();
                members
                    .text(if self.camel { "accessToken" } else { "access_token" }, &granted.access);
                let quoted = || Some(format!("\"{}\"", granted.refresh));
                let refresh =
                    self.foreign.map_or_else(quoted, |it| it.refresh_token(&granted.refresh));
                if let Some(refresh) = refresh.filter(|_| !self.cookie) {
                    let name = if self.camel { "refreshToken" } else { "refresh_token" };
                    members.raw(name, &refresh);
                }
                for (names, seconds) in [
                    (["expires_in", "expiresIn"], granted.expires_in),
                    (["refresh_in", "refreshIn"], granted.refresh_in),
                    (["session_expires_in", "sessionExpiresIn"], granted.session_expires_in),
                ] {
                    if let Some(seconds) = seconds {
                        members.number(names[usize::from(self.camel)], seconds, self.texts);
                    }
                }
                (200, members.finish(if self.more { MORE } else { "" }))
            }
            Reply::Refused { status: 400, .. } if self.foreign.is_some() => {
                let refusal = self.foreign.map_or(Refusal(400, ""), |it| it.refusal);
                (refusal.0, refusal.1.to_owned())
            }
            Reply::Refused { status, error, error_code } => {
                let mut members = Members::default();
                members.text("error", error);
                if !error_code.is_empty() {
                    members.text("error_code", error_code);
                }
                (*status, members.finish(""))
            }
        };
        let granted = match reply {
            Reply::Granted(granted) => Some(granted),
            Reply::Refused { .. } => None,
        };
        Letter {
            response: Some(Response { status, headers: Vec::new(), body }),
            granted: granted.is_some(),
            patience: Patience::Unsaid,
            cookie: granted.filter(|_| self.cookie).map(|granted| granted.refresh.clone()),
            sid: None,
        }
    }
}

impl Letter {
    /// The network fails.
    pub(crate) const fn lost() -> Self {
        Self { response: None, granted: false, patience: Patience::Unsaid, cookie: None, sid: None }
    }

    /// The connection breaks in the middle of the body, and nobody says so.
    pub(crate) fn cut(mut self) -> Self {
        if let Some(response) = &mut self.response {
            response.body.truncate(response.body.len() / 2);
        }
        Self { granted: false, ..self }
    }

    pub(crate) fn header(&mut self, name: &str, value: String) {
        if let Some(response) = &mut self.response {
            response.headers.push((name.to_owned(), value));
        }
    }
}

/// A time as HTTP writes it (RFC 9110 section 5.6.7), to the second.
pub(crate) fn date(now: Millis) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis((EPOCH + now).unsigned_abs()))
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// The members of a form, or of a JSON object of texts.
fn fields(request: &Request, json: bool) -> Option<BTreeMap<String, String>> {
    let body = request.body.as_deref()?;
    let kind = header(request, "Content-Type")?;
    if json {
        return serde_json::from_str(body).ok().filter(|_| kind == "application/json");
    }
    let form = form_urlencoded::parse(body.as_bytes());
    let form = form.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    Some(form).filter(|_| kind.starts_with("application/x-www-form-urlencoded"))
}

/// A JSON object. None of the texts needs an escape.
#[derive(Default)]
struct Members(String);

impl Members {
    fn text(&mut self, name: &str, value: &str) {
        let _ = write!(self.0, r#","{name}":"{value}""#);
    }

    fn raw(&mut self, name: &str, value: &str) {
        let _ = write!(self.0, r#","{name}":{value}"#);
    }

    fn number(&mut self, name: &str, value: f64, as_text: bool) {
        let quote = if as_text { "\"" } else { "" };
        let _ = write!(self.0, r#","{name}":{quote}{value}{quote}"#);
    }

    fn finish(self, more: &str) -> String {
        format!("{{{}{more}}}", self.0.strip_prefix(',').unwrap_or_default())
    }
}

/// What services add, and what they should not.
const MORE: &str = concat!(
    r#","token_type":"Bearer","scope":null,"id":18446744073709551616,"limit":1e308,"ratio":-0.0,"#,
    r#""user":{"name":"\u0000\ud83d\ude00","roles":[[],[{}]]},"deep":"#,
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    r#","session":{"access_token":"not this one","expires_in":0},"__proto__":{"expires_in":0},"":{}"#
);

#[cfg(test)]
mod tests {
    use everfresh::engine::{formats::Formats, native::NativeFormats, read_tokens};

    use super::*;

    #[test]
    fn tokens_are_found_among_all_that_services_add() {
        let text = format!(r#"{{"access_token":"it","expires_in":60{MORE}}}"#);
        let value = NativeFormats::parse_json(&text).expect("it is JSON");
        let tokens = read_tokens::<NativeFormats>(&value).expect("it is an object");
        assert_eq!((&*tokens.access_token, tokens.expires_in), ("it", Some(60.0)));
    }
}
