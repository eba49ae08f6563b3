//! Requests to the token endpoint, by `fetch`.

use js_sys::{Function, Object};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortSignal;

use super::{
    formats::object,
    js::{call, get, global, set, then},
};
use crate::engine::endpoint::{Credentials, HEADERS, Request, Response};

/// Sends a request, and gives the response or what was thrown to `done`, once.
pub(super) fn send(
    fetch: Option<Function>,
    request: &Request,
    signal: Option<&AbortSignal>,
    done: impl FnOnce(Result<Response, JsValue>) + 'static,
) {
    let fetch = fetch.unwrap_or_else(|| global("fetch").unchecked_into());
    let init = init(request, signal);
    let called = fetch.call2(&JsValue::UNDEFINED, &JsValue::from_str(&request.url), &init);
    then(called, |response| match response {
        Err(error) => done(Err(error)),
        Ok(response) => read(response, done),
    });
}

fn init(request: &Request, signal: Option<&AbortSignal>) -> Object {
    let text = JsValue::from_str;
    let init = Object::new();
    set(&init, "method", &text("POST"));
    set(&init, "headers", &object(&request.headers));
    set(&init, "body", &request.body.as_deref().map_or(JsValue::NULL, text));
    set(&init, "cache", &text("no-store"));
    // Credentials go to the endpoint that was configured, not to where it points.
    set(&init, "redirect", &text("manual"));
    let credentials = match request.credentials {
        Credentials::Omit => "omit",
        Credentials::SameOrigin => "same-origin",
        Credentials::Include => "include",
    };
    set(&init, "credentials", &text(credentials));
    match signal {
        Some(signal) => set(&init, "signal", signal),
        // Not to be aborted: the page may be on its way out.
        None => set(&init, "keepalive", &JsValue::TRUE),
    }
    init
}

fn read(response: JsValue, done: impl FnOnce(Result<Response, JsValue>) + 'static) {
    let headers = get(&response, "headers");
    let header = |name: &str| {
        let value = call(&headers, "get", [&JsValue::from_str(name), &JsValue::UNDEFINED]).ok()?;
        Some((name.to_owned(), value.as_string()?))
    };
    let headers = HEADERS.into_iter().filter_map(header).collect();
    let status = get(&response, "status").as_f64().unwrap_or_default() as u16;
    then(call(&response, "text", [&JsValue::UNDEFINED; 2]), move |body| {
        done(body.map(|body| {
            let body = body.as_string().unwrap_or_default();
            Response { status, headers, body }
        }));
    });
}
