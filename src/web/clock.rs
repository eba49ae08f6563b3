//! The clocks and the randomness of the platform.

use wasm_bindgen::prelude::*;

use crate::core::{
    clock::{Millis, Now},
    entropy::Entropy,
};

/// The present.
pub(super) fn now() -> Now {
    Now { wall: js_sys::Date::now() as Millis, monotonic: monotonic() as Millis }
}

/// `crypto.getRandomValues`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crypto;

impl Entropy for Crypto {
    fn next(&mut self) -> u64 {
        let mut bytes = [0; 8];
        fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn monotonic() -> f64;
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn fill(bytes: &mut [u8]);
}
