//! Those on the other side of the engine: the application, in JavaScript or in Rust.

use js_sys::Function;
use wasm_bindgen::JsValue;
use web_sys::AbortSignal;

use crate::{
    core::{
        clock::Millis,
        effect::{Lease, Outcome, RefreshRequest},
        snapshot::Snapshot,
    },
    engine::{
        Called,
        endpoint::Refused,
        host::{Line, Notice},
    },
};

/// Takes what a refresh function came to, and what it threw.
pub(crate) type Ended = Box<dyn FnOnce(Called, Option<JsValue>)>;

/// What the last refresh failed of.
#[derive(Clone, Default)]
pub(crate) struct Cause {
    /// What was thrown.
    #[cfg_attr(not(feature = "npm"), expect(dead_code, reason = "only the package names it"))]
    pub(crate) thrown: Option<JsValue>,
    /// What the endpoint answered.
    pub(crate) refused: Option<Refused>,
}

/// What a session is told to use, and what it tells.
pub(crate) trait Face: 'static {
    /// Answers one caller that waits.
    type Waiter: 'static;

    /// The application's own transport.
    fn fetch(&self) -> Option<Function>;

    /// The lead that the application computes for these claims.
    fn lead(&self, claims: Option<&JsValue>) -> Option<Millis>;

    /// Calls the application's refresh function.
    fn call(&self, request: RefreshRequest, signal: Option<AbortSignal>, ended: Ended);

    /// Answers a caller; `cause` is what the last refresh failed of.
    fn settle(&self, waiter: Self::Waiter, outcome: Outcome, cause: &Cause);

    /// What requests may carry from now on.
    fn lease(&self, lease: Option<Lease>);

    /// How the session looks from now on.
    fn show(&self, snapshot: &Snapshot, claims: Option<&JsValue>, cause: &Cause);

    /// Tells the observers.
    fn notify(&self, notice: &Notice, cause: &Cause);

    /// Writes a line to the application's log.
    fn log(&self, line: Line);
}
