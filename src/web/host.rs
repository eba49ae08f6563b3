//! What the platform gives: two clocks, randomness, and a place for what a call has to say.

use wasm_bindgen::prelude::*;

use crate::core::{
    clock::{Millis, Now},
    entropy::Entropy,
    error::Error,
};

/// The present.
pub(crate) fn now() -> Now {
    Now { wall: wall() as Millis, monotonic: monotonic() as Millis }
}

/// `crypto.getRandomValues`.
#[derive(Debug)]
pub(crate) struct Crypto;

impl Entropy for Crypto {
    fn next(&mut self) -> u64 {
        let mut bytes = [0; 8];
        fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// Says a text.
pub(crate) fn text(value: &str) {
    option(Some(value));
}

/// Says a number.
pub(crate) fn number(value: f64) {
    maybe(Some(value));
}

/// Says a time, or that there is none.
pub(crate) fn time(value: Option<Millis>) {
    maybe(value.map(|value| value as f64));
}

/// Says what is wrong, by its number.
pub(crate) fn error(error: Error) {
    number(f64::from(error as u32));
}

#[wasm_bindgen(raw_module = "../src/host.ts")]
extern "C" {
    /// Says a number, or that there is none.
    #[wasm_bindgen(js_namespace = said, js_name = push)]
    fn maybe(value: Option<f64>);
    /// Says a text, or that there is none.
    #[wasm_bindgen(js_namespace = said, js_name = push)]
    pub(crate) fn option(value: Option<&str>);
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn wall() -> f64;
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn monotonic() -> f64;
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn fill(bytes: &mut [u8]);
}
