//! Whom the shell works for: the object behind the public API, called for everything that callers
//! and observers see.

use wasm_bindgen::prelude::*;

use crate::core::{
    clock::Millis,
    effect::{Lease, Outcome, WaiterId},
    error::Error,
    event::Event,
    snapshot::Snapshot,
    token::Jwt,
};

impl Face {
    /// The application's own lead for these claims.
    pub(super) fn lead_for(&self, jwt: Option<&Jwt>) -> Option<Millis> {
        self.lead(jwt.map(|jwt| &*jwt.payload)).map(|lead| lead as Millis)
    }

    pub(super) fn settle(&self, waiter: WaiterId, outcome: &Outcome) {
        match outcome {
            Outcome::Token(Lease { id, access_token, from, until }) => {
                self.settle_token(waiter, *id, access_token, *from as f64, *until as f64);
            }
            Outcome::Anonymous => self.settle_plain(waiter, false),
            Outcome::Original | Outcome::Done => self.settle_plain(waiter, true),
            Outcome::Failed(error) => self.settle_error(waiter, &self.error(error)),
        }
    }

    pub(super) fn lease(&self, lease: Option<&Lease>) {
        match lease {
            Some(Lease { id, access_token, from, until }) => {
                self.grant(*id, access_token, *from as f64, *until as f64);
            }
            None => self.withdraw(),
        }
    }

    pub(super) fn show(&self, snapshot: &Snapshot) {
        let time = |at: Option<Millis>| at.map(|at| at as f64);
        self.show_parts(
            snapshot.status.as_str(),
            snapshot.reason.map(|reason| reason.as_str()),
            snapshot.subject.as_deref(),
            snapshot.generation as f64,
            time(snapshot.expires_at),
            time(snapshot.refresh_at),
            time(snapshot.idle_at),
            time(snapshot.ends_at),
            snapshot.seconds_left,
            &snapshot.last_error.as_ref().map_or(JsValue::NULL, |error| self.error(error)),
        );
    }

    pub(super) fn emit(&self, event: &Event, at: Millis) {
        let nothing = JsValue::UNDEFINED;
        let parts = match event {
            Event::Refreshed { reason } => (reason.map(|reason| reason.as_str()), None, nothing),
            Event::RefreshFailed { error, reason, retry_at } => {
                (Some(reason.as_str()), *retry_at, self.error(error))
            }
            Event::Warning { reason, ends_at } => (Some(reason.as_str()), Some(*ends_at), nothing),
            Event::SignedOut { reason } => (Some(reason.as_str()), None, nothing),
            Event::ClockSkew { skew: time } | Event::RevokeFailed { retry_at: time } => {
                (None, Some(*time), nothing)
            }
            _ => (None, None, nothing),
        };
        let (reason, time, error) = parts;
        self.emit_parts(event.kind(), at as f64, reason, time.map(|time| time as f64), &error);
    }

    /// The error as callers see it.
    pub(crate) fn error(&self, error: &Error) -> JsValue {
        self.make_error(error.code().as_str(), error.message())
    }
}

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What the engine calls. It must not throw, and calls back into the engine are queued. */
export interface Face {
  lead(payload: string | undefined): number | undefined;
  error(code: string, message: string): unknown;
  settleToken(waiter: number, id: number, token: string, from: number, until: number): void;
  settle(waiter: number, fulfilled: boolean): void;
  fail(waiter: number, error: unknown): void;
  lease(id: number, token: string, from: number, until: number): void;
  withdraw(): void;
  claims(payload: string | undefined): void;
  show(
    status: string,
    reason: string | undefined,
    subject: string | undefined,
    generation: number,
    expiresAt: number | undefined,
    refreshAt: number | undefined,
    idleAt: number | undefined,
    endsAt: number | undefined,
    secondsLeft: number | undefined,
    lastError: unknown,
  ): void;
  emit(
    type: string,
    at: number,
    reason: string | undefined,
    time: number | undefined,
    error: unknown,
  ): void;
  rest(): void;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// The object behind the public API.
    #[wasm_bindgen(typescript_type = "Face")]
    pub type Face;

    #[wasm_bindgen(method)]
    fn lead(this: &Face, payload: Option<&str>) -> Option<f64>;
    #[wasm_bindgen(method, js_name = error)]
    fn make_error(this: &Face, code: &str, message: &str) -> JsValue;

    #[wasm_bindgen(method, js_name = settleToken)]
    fn settle_token(this: &Face, waiter: u32, id: u32, token: &str, from: f64, until: f64);
    #[wasm_bindgen(method, js_name = settle)]
    fn settle_plain(this: &Face, waiter: u32, fulfilled: bool);
    #[wasm_bindgen(method, js_name = fail)]
    fn settle_error(this: &Face, waiter: u32, error: &JsValue);

    #[wasm_bindgen(method, js_name = lease)]
    fn grant(this: &Face, id: u32, token: &str, from: f64, until: f64);
    #[wasm_bindgen(method)]
    fn withdraw(this: &Face);

    /// The payload of the current token, when it changes.
    #[wasm_bindgen(method)]
    pub(super) fn claims(this: &Face, payload: Option<&str>);
    #[wasm_bindgen(method, js_name = show)]
    fn show_parts(
        this: &Face,
        status: &str,
        reason: Option<&str>,
        subject: Option<&str>,
        generation: f64,
        expires_at: Option<f64>,
        refresh_at: Option<f64>,
        idle_at: Option<f64>,
        ends_at: Option<f64>,
        seconds_left: Option<u32>,
        last_error: &JsValue,
    );
    #[wasm_bindgen(method, js_name = emit)]
    fn emit_parts(
        this: &Face,
        kind: &str,
        at: f64,
        reason: Option<&str>,
        time: Option<f64>,
        error: &JsValue,
    );
    /// The machine has come to rest: observers may be told now.
    #[wasm_bindgen(method)]
    pub(super) fn rest(this: &Face);
}
