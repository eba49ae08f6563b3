//! The platform of a browser, a worker, Node.js, Deno, Bun or workerd: one adapter for each Web API,
//! and [`Session`] for front ends in Rust.
//!
//! Every call into JavaScript catches what it throws. The engine holds no borrow while it calls.

#[cfg(feature = "web")]
mod address;
#[cfg(feature = "web")]
mod answer;
#[cfg(feature = "web")]
mod builder;
mod channel;
mod clock;
#[cfg(feature = "web")]
mod error;
#[cfg(feature = "web")]
mod exchange;
pub(crate) mod face;
#[cfg(feature = "web")]
mod fetch;
pub(crate) mod formats;
#[cfg(feature = "web")]
mod guards;
pub(crate) mod host;
pub(crate) mod js;
mod lock;
#[cfg(feature = "web")]
mod own_fetch;
mod page;
mod parsed;
#[cfg(feature = "web")]
mod refresh_function;
#[cfg(feature = "web")]
mod refusals;
#[cfg(feature = "web")]
mod rust_face;
#[cfg(feature = "web")]
mod session;
mod storage;
#[cfg(all(test, target_family = "wasm"))]
mod tests;
#[cfg(feature = "web")]
mod token_storage;
#[cfg(feature = "web")]
mod tokens;
mod transport;

#[cfg(feature = "web")]
pub use self::{
    builder::SessionBuilder,
    error::{Error, Fault},
    exchange::{Answer, Method, Verdict},
    guards::safe_return_to,
    refresh_function::RefreshRequest,
    session::{AccessToken, Hold, Sending, Session, StartHandle, Subscription, Tokens},
    token_storage::TokenStorage,
};
#[cfg(feature = "web")]
pub use crate::{
    core::{
        event::Event,
        policy::IdleMode,
        reason::{EndReason, RefreshReason},
        snapshot::{Snapshot, Status},
        stats::Stats,
    },
    engine::{
        Called,
        endpoint::{Carrier, Credentials, Endpoint, Refused, Style},
        host::Line,
        options::Options,
        records::Storage,
    },
};
