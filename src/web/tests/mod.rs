//! The adapters in the real thing: `cargo xtask test` runs these in Node.js and in browsers.

use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn works() {}
