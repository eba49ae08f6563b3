//! Both clocks of the platform.

use wasm_bindgen::prelude::*;

use crate::core::clock::{Millis, Now};

/// The present.
pub(super) fn now() -> Now {
    Now { wall: js_sys::Date::now() as Millis, monotonic: monotonic() as Millis }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn monotonic() -> f64;
}
