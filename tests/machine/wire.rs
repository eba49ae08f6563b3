//! What goes to the token endpoint and comes back from it, as text.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use everfresh::{
    core::{effect::RefreshRequest, grant::TokenResponse},
    engine::{
        Called,
        endpoint::{Request, Response},
        formats::Formats,
        native::NativeFormats,
        read_tokens,
    },
};

/// An answer of the token endpoint; none when the network failed.
pub(crate) type Answer = Option<Response>;

/// No answer at all.
pub(crate) const UNREACHABLE: Answer = None;

/// What a refresh carried.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) refresh_token: Option<String>,
    pub(crate) rotation_key: String,
}

impl From<&Request> for Sent {
    fn from(request: &Request) -> Self {
        let body = request.body.as_deref().unwrap_or_default();
        let field = |name| {
            let mut fields = form_urlencoded::parse(body.as_bytes());
            fields.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let mut headers = request.headers.iter();
        let header = headers.find(|(name, _)| name == "Idempotency-Key");
        let key = field("rotation_key").or_else(|| header.map(|(_, key)| key.clone()));
        Self {
            refresh_token: field("refresh_token"),
            rotation_key: key.expect("a refresh carries its rotation key"),
        }
    }
}

impl From<RefreshRequest> for Sent {
    fn from(request: RefreshRequest) -> Self {
        let RefreshRequest { refresh_token, rotation_key, .. } = request;
        Self { refresh_token, rotation_key }
    }
}

/// Whether a revocation is about all of the user's sessions.
pub(crate) fn is_everywhere(request: &Request) -> bool {
    request.body.as_deref().is_some_and(|body| body.contains("everywhere=true"))
}

/// A refusal with the `error` and the `error_code` of the companion server.
pub(crate) fn refusal(status: u16, error: &str, error_code: &str) -> Answer {
    let body = NativeFormats::write_object(&[("error", error), ("error_code", error_code)]);
    Some(Response { status, body, ..Response::default() })
}

/// A refusal that asks for patience.
pub(crate) fn retry_after(status: u16, seconds: u32) -> Answer {
    let headers = vec![("retry-after".to_owned(), seconds.to_string())];
    Some(Response { status, headers, ..Response::default() })
}

/// The page of a proxy, with a status of success.
pub(crate) fn unusable() -> Answer {
    Some(Response { status: 200, body: "<html>".to_owned(), ..Response::default() })
}

/// New tokens.
pub(crate) fn granted(tokens: &TokenResponse) -> Answer {
    let mut body = format!(r#"{{"access_token":"{}""#, tokens.access_token);
    if let Some(token) = &tokens.refresh_token {
        body += &format!(r#","refresh_token":"{token}""#);
    }
    for (name, seconds) in [
        ("expires_in", tokens.expires_in),
        ("refresh_in", tokens.refresh_in),
        ("session_expires_in", tokens.session_expires_in),
    ] {
        body += &seconds.map_or_else(String::new, |seconds| format!(r#","{name}":{seconds}"#));
    }
    Some(Response { status: 200, body: body + "}", ..Response::default() })
}

/// What an application's refresh function makes of the same answer.
pub(crate) fn called(answer: Answer) -> Called {
    match answer {
        Some(Response { status: 200..300, body, .. }) => {
            let value = NativeFormats::parse_json(&body);
            Called::Tokens(value.and_then(|value| read_tokens::<NativeFormats>(&value)))
        }
        answer => {
            let says_no = |status| (400..500).contains(&status) && !matches!(status, 408 | 429);
            Called::Failed { terminal: answer.is_some_and(|answer| says_no(answer.status)) }
        }
    }
}

/// A token that says this.
pub(crate) fn jwt(claims: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", part("{}"), part(claims), part("signature"))
}
