//! The other side of the border: an object of pkg/src/engine.ts.

use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::{JsCast, prelude::*};
use web_sys::AbortSignal;

use crate::{
    core::{
        clock::Millis,
        effect::{Lease, Outcome, RefreshRequest},
        error::Error,
        event::Event,
        reason::RefreshReason,
        snapshot::Snapshot,
    },
    engine::{
        Called,
        endpoint::Refused,
        host::{Line, Notice},
        read_tokens,
    },
    web::{
        face::{self, Cause, Ended},
        formats::{WebFormats, to_js},
        js::{get, then},
    },
};

/// Tells JavaScript. What it throws is its own affair.
pub(super) struct JsFace(pub(super) Face);

/// An error as JavaScript makes a class of it, with what the endpoint answered if it comes of that.
#[derive(Serialize)]
struct Failure<'a> {
    code: &'static str,
    message: &'static str,
    answer: Option<&'a Refused>,
}

/// The interface `Lease` of pkg/src/engine.ts; times in milliseconds since the Unix epoch.
#[derive(Serialize)]
struct Right {
    id: u32,
    token: String,
    from: f64,
    until: f64,
}

/// What the application's refresh function is given.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    access_token: Option<String>,
    refresh_token: Option<String>,
    rotation_key: String,
    reason: RefreshReason,
    last_activity_at: f64,
}

/// `{ code, message }`.
pub(super) fn failure(error: Error) -> JsValue {
    failure_of(error, None)
}

fn failure_of(error: Error, answer: Option<&Refused>) -> JsValue {
    to_js(&Failure { code: error.code(), message: error.message(), answer })
}

fn lease(lease: Option<Lease>) -> JsValue {
    lease.map_or(JsValue::UNDEFINED, |Lease { id, access_token: token, from, until }| {
        to_js(&Right { id: id.0, token, from: from as f64, until: until as f64 })
    })
}

fn known(error: Option<Error>, cause: &Cause) -> (JsValue, JsValue) {
    let Some(error) = error else { return Default::default() };
    let none = Cause::default();
    let Cause { thrown, refused } = if error.comes_of_a_refresh() { cause } else { &none };
    (failure_of(error, refused.as_ref()), thrown.clone().unwrap_or_default())
}

impl face::Face for JsFace {
    type Waiter = u32;

    fn fetch(&self) -> Option<Function> {
        self.0.transport().ok()?.dyn_into().ok()
    }

    fn lead(&self, claims: Option<&JsValue>) -> Option<Millis> {
        let lead = self.0.lead(claims.unwrap_or(&JsValue::NULL)).ok()?;
        lead.is_finite().then_some(lead as Millis)
    }

    fn call(&self, request: RefreshRequest, signal: Option<AbortSignal>, ended: Ended) {
        let request = Request {
            access_token: request.access_token,
            refresh_token: request.refresh_token,
            rotation_key: request.rotation_key,
            reason: request.reason,
            last_activity_at: request.last_activity_at as f64,
        };
        let called = self.0.call(&to_js(&request), signal.as_ref());
        then(called, |result| match result {
            Ok(tokens) => ended(Called::Tokens(read_tokens::<WebFormats>(&tokens)), None),
            Err(thrown) => {
                let said = get(&thrown, "code") == JsValue::from_str(SIGNED_OUT);
                let terminal = said || get(&thrown, "terminal") == JsValue::TRUE;
                ended(Called::Failed { terminal }, Some(thrown));
            }
        });
    }

    fn settle(&self, waiter: u32, outcome: Outcome, cause: &Cause) {
        let (token, error) = match outcome {
            Outcome::Token(lease) => (Some(lease), None),
            Outcome::Anonymous | Outcome::Original | Outcome::Done => (None, None),
            Outcome::Failed(error) => (None, Some(error)),
        };
        let (failure, cause) = known(error, cause);
        let _ = self.0.settle(waiter, &lease(token), &failure, &cause);
    }

    fn lease(&self, usable: Option<Lease>) {
        let _ = self.0.lease(&lease(usable));
    }

    fn show(&self, snapshot: &Snapshot, claims: Option<&JsValue>, cause: &Cause) {
        let (failure, cause) = known(snapshot.last_error, cause);
        let claims = claims.cloned().unwrap_or(JsValue::NULL);
        let _ = self.0.show(&to_js(snapshot), &claims, &failure, &cause);
    }

    fn notify(&self, notice: &Notice, cause: &Cause) {
        let _ = match notice {
            Notice::Snapshot => self.0.changed(),
            Notice::Event(event, at) => {
                let error = match event {
                    Event::RefreshFailed { error, .. } => Some(*error),
                    _ => None,
                };
                let (failure, cause) = known(error, cause);
                self.0.event(&to_js(event), *at as f64, &failure, &cause)
            }
        };
    }

    fn log(&self, line: Line) {
        let _ = match line {
            Line::Refused(refused) => {
                self.0.log("info", "the token endpoint gave no tokens", &to_js(&refused))
            }
            Line::OddTimes => {
                let text = "token times disagree or are in milliseconds";
                self.0.log("warn", text, &JsValue::UNDEFINED)
            }
            Line::NoRevokeUrl => {
                let text = "without refresh.revokeUrl the server keeps the session";
                self.0.log("warn", text, &JsValue::UNDEFINED)
            }
        };
    }
}

/// What a refresh function throws to say that the session is over.
const SIGNED_OUT: &str = "ERR_SIGNED_OUT_BY_SERVER";

#[wasm_bindgen]
extern "C" {
    /// The interface `Face` of pkg/src/engine.ts.
    pub type Face;
    #[wasm_bindgen(method, catch, structural)]
    fn transport(this: &Face) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, structural)]
    fn lead(this: &Face, claims: &JsValue) -> Result<f64, JsValue>;
    #[wasm_bindgen(method, catch, structural)]
    fn call(
        this: &Face,
        request: &JsValue,
        signal: Option<&AbortSignal>,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, structural)]
    fn settle(
        this: &Face,
        waiter: u32,
        lease: &JsValue,
        failure: &JsValue,
        cause: &JsValue,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, structural)]
    fn lease(this: &Face, lease: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, structural)]
    fn show(
        this: &Face,
        snapshot: &JsValue,
        claims: &JsValue,
        failure: &JsValue,
        cause: &JsValue,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, structural)]
    fn changed(this: &Face) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, structural)]
    fn event(
        this: &Face,
        event: &JsValue,
        at: f64,
        failure: &JsValue,
        cause: &JsValue,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, structural)]
    fn log(this: &Face, level: &str, message: &str, details: &JsValue) -> Result<(), JsValue>;
}
