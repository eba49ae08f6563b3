//! Keeps a signed-in user signed in, for exactly as long as they should be.
pub mod core;
