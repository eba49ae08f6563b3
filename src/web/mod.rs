//! The platform of a browser, a worker, Node.js, Deno, Bun or workerd: one adapter for each Web API,
//! and [`Session`] for front ends in Rust.
//!
//! Every call into JavaScript catches what it throws. The engine holds no borrow while it calls.

mod channel;
mod clock;
pub(crate) mod face;
pub(crate) mod formats;
pub(crate) mod host;
pub(crate) mod js;
mod lock;
mod page;
mod storage;
mod transport;
