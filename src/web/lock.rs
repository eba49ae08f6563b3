//! The lock around a refresh.

use wasm_bindgen::prelude::*;
use web_sys::AbortController;

use super::handle::{Callback, Running};
use crate::core::effect::Ticket;

/// Asks for the lock called `name`; `done` hears whether it is held. Dropping gives it back, or
/// stops waiting for it.
pub(super) fn request(name: &str, ticket: Ticket, done: &Callback) -> Running {
    Running(request_lock(name, ticket, done))
}

#[wasm_bindgen(module = "/src/web/lock.js")]
extern "C" {
    #[wasm_bindgen(js_name = requestLock)]
    fn request_lock(name: &str, ticket: u32, done: &Callback) -> AbortController;
}
