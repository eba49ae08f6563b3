//! Requests to the token endpoint.

use wasm_bindgen::prelude::*;
use web_sys::AbortController;

use super::{
    face::Face,
    handle::{Callback, Running},
    tokens,
};
use crate::core::{
    clock::Millis,
    effect::{Attempt, RefreshRequest, RevokeId, RevokeRequest},
    input::Answer,
};

/// Sends a refresh; `done` hears the answer, to be read with [`answer`].
pub(super) fn refresh(
    endpoint: &JsValue,
    attempt: Attempt,
    request: &RefreshRequest,
    done: &Callback,
) -> Running {
    Running(send_refresh(
        endpoint,
        attempt,
        request.access_token.as_deref(),
        request.refresh_token.as_deref(),
        &request.rotation_key,
        request.reason.as_str(),
        request.last_activity_at as f64,
        done,
    ))
}

/// Sends a revocation; `done` hears `true` or `false`. Without an endpoint for it nothing is sent
/// and the answer is `true`.
pub(super) fn revoke(
    endpoint: &JsValue,
    revoke: RevokeId,
    request: &RevokeRequest,
    done: &Callback,
) -> Running {
    Running(send_revoke(
        endpoint,
        revoke,
        request.access_token.as_deref(),
        request.refresh_token.as_deref(),
        request.everywhere,
        done,
    ))
}

/// What a refresh brought back.
pub(super) fn answer(reply: &JsValue, face: &Face) -> Answer {
    let reply = reply.unchecked_ref::<Reply>();
    if reply.failed() {
        return Answer::Failed { terminal: reply.terminal() };
    }
    match reply.status() {
        Some(0) => Answer::Unreachable,
        Some(status @ 400..) => Answer::Refused {
            status,
            error: reply.error(),
            error_code: reply.error_code(),
            retry_after: reply.retry_after().map(|wait| wait as Millis),
        },
        _ => tokens::parse(&reply.tokens(), face).map_or(Answer::Unusable, Answer::Granted),
    }
}

#[wasm_bindgen(module = "/src/web/transport.js")]
extern "C" {
    type Reply;

    #[wasm_bindgen(js_name = sendRefresh)]
    fn send_refresh(
        endpoint: &JsValue,
        attempt: u32,
        access_token: Option<&str>,
        refresh_token: Option<&str>,
        rotation_key: &str,
        reason: &str,
        last_activity_at: f64,
        done: &Callback,
    ) -> AbortController;
    #[wasm_bindgen(js_name = sendRevoke)]
    fn send_revoke(
        endpoint: &JsValue,
        revoke: u32,
        access_token: Option<&str>,
        refresh_token: Option<&str>,
        everywhere: bool,
        done: &Callback,
    ) -> AbortController;

    #[wasm_bindgen(method, getter)]
    fn failed(this: &Reply) -> bool;
    #[wasm_bindgen(method, getter)]
    fn terminal(this: &Reply) -> bool;
    #[wasm_bindgen(method, getter)]
    fn status(this: &Reply) -> Option<u16>;
    #[wasm_bindgen(method, getter)]
    fn tokens(this: &Reply) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn error(this: &Reply) -> String;
    #[wasm_bindgen(method, getter, js_name = errorCode)]
    fn error_code(this: &Reply) -> String;
    #[wasm_bindgen(method, getter, js_name = retryAfter)]
    fn retry_after(this: &Reply) -> Option<f64>;
}
