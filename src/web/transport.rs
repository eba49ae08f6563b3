//! Requests to the token endpoint.

use wasm_bindgen::prelude::*;
use web_sys::AbortController;

use super::{
    face::Face,
    fields::{flag, millis, seconds, text, value},
    handle::{Callback, Running},
    tokens,
};
use crate::core::{
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
    if flag(reply, "failed") {
        return Answer::Failed { terminal: flag(reply, "terminal") };
    }
    match seconds(reply, "status").map_or(200, |status| status as u16) {
        0 => Answer::Unreachable,
        status @ 400.. => Answer::Refused {
            status,
            error: text(reply, "error").unwrap_or_default(),
            error_code: text(reply, "errorCode").unwrap_or_default(),
            retry_after: millis(reply, "retryAfter"),
        },
        _ => tokens::parse(&value(reply, "tokens"), face).map_or(Answer::Unusable, Answer::Granted),
    }
}

#[wasm_bindgen(module = "/src/web/transport.js")]
extern "C" {
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
}
