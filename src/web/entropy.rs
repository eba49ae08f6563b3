//! The platform's random generator.

use wasm_bindgen::prelude::*;

use crate::core::entropy::Entropy;

const BUFFER: usize = 128;

/// `crypto.getRandomValues`, asked for sixteen words at a time.
pub(super) struct Crypto {
    buffer: [u8; BUFFER],
    left: usize,
}

impl Crypto {
    pub(super) const fn new() -> Self {
        Self { buffer: [0; BUFFER], left: 0 }
    }
}

impl Entropy for Crypto {
    fn next(&mut self) -> u64 {
        if self.left == 0 {
            fill(&mut self.buffer);
            self.left = BUFFER / 8;
        }
        self.left -= 1;
        let word = self.buffer.as_chunks().0[self.left];
        u64::from_le_bytes(word)
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn fill(buffer: &mut [u8]);
}
