//! The platform of a browser, a worker, Node.js, Deno, Bun or workerd: one adapter for each Web API,
//! and [`Session`] for front ends in Rust.
//!
//! Every call into JavaScript catches what it throws. The engine holds no borrow while it calls.

mod answer;
mod channel;
mod clock;
mod error;
pub(crate) mod face;
mod fetch;
pub(crate) mod formats;
pub(crate) mod host;
pub(crate) mod js;
mod lock;
mod page;
mod rust_face;
mod session;
mod storage;
mod tokens;
mod transport;

pub use self::{
    error::{Error, Fault},
    session::{AccessToken, Hold, Session, StartHandle, Subscription, Tokens},
};
pub use crate::{
    core::{
        effect::RefreshRequest,
        event::Event,
        policy::IdleMode,
        reason::{EndReason, RefreshReason},
        snapshot::{Snapshot, Status},
    },
    engine::{
        Called,
        endpoint::{Carrier, Credentials, Endpoint, Style},
        options::Options,
        records::Storage,
    },
};
