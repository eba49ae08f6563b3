//! Requests and answers of token endpoints whose shape is their own: as the engine writes and reads
//! them on this side, as the service wants them on the other.

use core::fmt;
use std::rc::Rc;

use js_sys::{Date, Function, JSON, JsString, Math, Object, Promise, Reflect};
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use super::{
    formats::{Form, from_js},
    js::{call, get, global, global_object, set},
    own_fetch::{Transport, new_request},
    session::Tokens,
};
use crate::engine::endpoint::MAX_BODY;

/// As much of a body as shows that it is too long; in UTF-16, where no text is longer than in UTF-8.
const LONGEST: u32 = MAX_BODY as u32 + 1;

/// The HTTP method of a refresh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// As every token endpoint of RFC 6749 wants it.
    #[default]
    Post,
    /// Without a body.
    Get,
}

/// What an answer of a token endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// New tokens.
    Granted,
    /// It says nothing about the session, and is asked again.
    Transient,
    /// The session is over.
    Revoked,
    /// The session is over: a refresh token was used twice.
    Reuse,
    /// The session is over: the user has to sign in again.
    LoginRequired,
}

/// What a token endpoint answered to a refresh: at most 1 MiB. Longer answers are shown to no function
/// and judged without their body.
pub struct Answer {
    status: u16,
    headers: JsValue,
    body: String,
}

impl Answer {
    /// The HTTP status; 0 for a redirect, which is not followed.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// A header, as far as scripts may see it.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        call(&self.headers, "get", [&JsValue::from_str(name), &JsValue::UNDEFINED])
            .ok()?
            .as_string()
    }

    /// The body as text, at most 1 MiB in UTF-8.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The body, read as JSON; `None` where it is none, or no `T`.
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        from_js(JSON::parse(&self.body).ok()?)
    }
}

type Params = Box<dyn Fn(&str) -> Vec<(String, String)>>;

type Reads<T> = Option<Box<dyn Fn(&Answer) -> Option<T>>>;

/// What differs from RFC 6749.
#[derive(Default)]
pub(super) struct Exchange {
    pub(super) method: Method,
    /// Bodies are JSON, no forms.
    pub(super) json: bool,
    pub(super) cookies: bool,
    pub(super) params: Option<Params>,
    pub(super) tokens: Reads<Tokens>,
    pub(super) classify: Reads<Verdict>,
}

/// A `fetch` between the engine and such an endpoint.
pub(super) fn wrap(exchange: Exchange, transport: Transport) -> Function {
    let between = Rc::new((exchange, transport));
    let fetch = move |url: JsValue, init: JsValue| {
        let between = Rc::clone(&between);
        let sent = async move { between.0.send(&url, &init, &between.1).await };
        JsValue::from(future_to_promise(sent))
    };
    // The engine's for as long as it lives.
    Closure::<dyn Fn(JsValue, JsValue) -> JsValue>::new(fetch).into_js_value().unchecked_into()
}

/// Stands for what no script sees; each is another one, as the cookies are.
pub(super) fn stand_in() -> String {
    let text = |number: f64| (number as u64).to_string();
    "cookies-".to_owned() + &text(Date::now()) + "-" + &text(Math::random() * 1e15)
}

impl Exchange {
    async fn send(
        &self,
        url: &JsValue,
        init: &JsValue,
        transport: &Transport,
    ) -> Result<JsValue, JsValue> {
        // The page may be on its way out: it revokes.
        if get(init, "keepalive").is_truthy() {
            if self.cookies {
                let headers: Object = get(init, "headers").unchecked_into();
                let _ = Reflect::delete_property(&headers, &"Authorization".into());
            }
            return dispatch(url, init, transport).await;
        }
        if let Some(params) = &self.params
            && let Some(body) = get(init, "body").as_string()
        {
            set(init, "body", &placed(params, &body, self.json)?);
        }
        if self.method == Method::Get {
            set(init, "method", &"GET".into());
            set(init, "body", &JsValue::NULL);
        }
        let response = dispatch(url, init, transport).await?;
        let text = call(&response, "text", [&JsValue::UNDEFINED; 2])?;
        let text = JsFuture::from(Promise::resolve(&text)).await?;
        let answer = Answer {
            status: get(&response, "status").as_f64().unwrap_or_default() as u16,
            headers: get(&response, "headers"),
            body: text.dyn_into().map(begin).unwrap_or_default(),
        };
        // What the engine does not read the application does not either.
        let is_short = answer.body.len() <= MAX_BODY;
        let translated = is_short.then(|| self.translated(&answer)).flatten();
        let (status, body) = translated.unwrap_or((answer.status, answer.body));
        let said = Object::new();
        set(&said, "status", &status.into());
        set(&said, "headers", &answer.headers);
        // A text is worth itself.
        let body = JsValue::from(body);
        let text = call(&global_object(), "Object", [&body, &JsValue::UNDEFINED])?;
        let value = get(&text, "valueOf");
        set(&said, "text", &call(&value, "bind", [&text, &JsValue::UNDEFINED])?);
        Ok(said.into())
    }

    /// What differs in an answer in the form of RFC 6749.
    fn translated(&self, answer: &Answer) -> Option<(u16, String)> {
        let verdict = self.classify.as_ref().and_then(|classify| classify(answer));
        let refused =
            |code| Some((400, written(&[("error", "invalid_grant"), ("error_code", code)])));
        let granted = match verdict {
            Some(Verdict::Transient) => return Some((503, String::new())),
            Some(Verdict::Revoked) => return refused("revoked"),
            Some(Verdict::Reuse) => return refused("reuse_detected"),
            Some(Verdict::LoginRequired) => return refused("login_required"),
            Some(Verdict::Granted) => true,
            None => false,
        };
        if !granted && !(200..300).contains(&answer.status) {
            return None;
        }
        let read = self.tokens.as_ref().and_then(|tokens| tokens(answer));
        let body = || JSON::parse(&answer.body).ok().filter(JsValue::is_object);
        if self.cookies && (granted || !is_error(answer, &body().unwrap_or_default())) {
            let fields = read.map(|tokens| fields(&tokens).into()).or_else(body);
            let fields = fields.unwrap_or_else(|| Object::new().into());
            set(&fields, "accessToken", &stand_in().into());
            return Some((200, stringified(&fields)));
        }
        // What brings no token may be a refusal.
        let token = read.filter(|tokens| !tokens.access_token.is_empty());
        match token {
            Some(tokens) => Some((200, stringified(&fields(&tokens)))),
            None => granted.then(|| (200, answer.body.clone())),
        }
    }
}

async fn dispatch(
    url: &JsValue,
    init: &JsValue,
    transport: &Transport,
) -> Result<JsValue, JsValue> {
    if let Some(transport) = transport {
        return transport(new_request(url, init)?).await.map(JsValue::from);
    }
    let fetch: Function = global("fetch").unchecked_into();
    let called = fetch.call2(&JsValue::UNDEFINED, url, init)?;
    JsFuture::from(Promise::resolve(&called)).await
}

/// A text, or the beginning of one that is too long.
fn begin(text: JsString) -> String {
    text.slice(0, LONGEST).into()
}

/// A body in which the application's function has placed the refresh token.
fn placed(params: &Params, body: &str, json: bool) -> Result<JsValue, JsValue> {
    const TOKEN: &str = "refresh_token";
    if json {
        let fields: Object = JSON::parse(body)?.unchecked_into();
        let token = get(&fields, TOKEN).as_string().unwrap_or_default();
        Reflect::delete_property(&fields, &TOKEN.into())?;
        for (name, value) in params(&token) {
            set(&fields, &name, &value.into());
        }
        return Ok(stringified(&fields).into());
    }
    let form = Form::new(&body.into())?;
    let token = call(&form, "get", [&TOKEN.into(), &JsValue::UNDEFINED])?;
    call(&form, "delete", [&TOKEN.into(), &JsValue::UNDEFINED])?;
    for (name, value) in params(&token.as_string().unwrap_or_default()) {
        call(&form, "set", [&name.into(), &value.into()])?;
    }
    Ok(form.text().into())
}

/// Whether a successful answer tells of an error all the same, or is a page for people.
fn is_error(answer: &Answer, body: &JsValue) -> bool {
    ["error", "errors", "error_code"]
        .iter()
        .any(|name| body.is_object() && get(body, name).is_truthy())
        || answer.body.trim_ascii_start().starts_with('<')
}

/// A token response, as the engine reads one.
fn fields(tokens: &Tokens) -> Object {
    let fields = Object::new();
    set(&fields, "accessToken", &tokens.access_token.as_str().into());
    for (name, text) in [("refreshToken", &tokens.refresh_token), ("tokenType", &tokens.token_type)]
    {
        if let Some(text) = text {
            set(&fields, name, &text.as_str().into());
        }
    }
    for (name, seconds) in [
        ("expiresIn", tokens.expires_in),
        ("expiresAt", tokens.expires_at),
        ("refreshIn", tokens.refresh_in),
        ("sessionExpiresIn", tokens.session_expires_in),
    ] {
        if let Some(seconds) = seconds {
            set(&fields, name, &seconds.into());
        }
    }
    fields
}

fn written(texts: &[(&str, &str)]) -> String {
    let fields = Object::new();
    for (name, text) in texts {
        set(&fields, name, &JsValue::from_str(text));
    }
    stringified(&fields)
}

fn stringified(value: &JsValue) -> String {
    JSON::stringify(value).map(String::from).unwrap_or_default()
}

/// No body: it may hold tokens.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({})", self.status)
    }
}
