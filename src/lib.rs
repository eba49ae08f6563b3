//! Keeps a signed-in user signed in, for exactly as long as they should be.
pub mod core;
#[cfg(target_arch = "wasm32")]
mod wasm;
#[cfg(target_arch = "wasm32")]
mod web;
