//! User input, and the life of the page.

use wasm_bindgen::prelude::*;
use web_sys::AbortController;

use super::handle::{Callback, Running};

// As events.js names them; the one left says that the shared record has changed.
pub(super) const VISIBLE: u32 = 0;
pub(super) const RESUMED: u32 = 1;
pub(super) const LEAVING: u32 = 2;
pub(super) const ONLINE: u32 = 3;
pub(super) const OFFLINE: u32 = 4;
pub(super) const ACTIVITY: u32 = 5;

/// Listens until dropped. User input is reported at most once a second.
pub(super) fn listen(activity_events: &JsValue, key: &str, tell: &Callback) -> Running {
    Running(watch(activity_events, key, tell))
}

#[wasm_bindgen(module = "/src/web/events.js")]
extern "C" {
    fn watch(activity_events: &JsValue, key: &str, tell: &Callback) -> AbortController;
}
