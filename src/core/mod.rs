//! The session machine: compiles everywhere, touches nothing.

pub mod clock;
pub mod effect;
pub mod entropy;
pub mod error;
pub mod event;
pub mod grant;
pub mod ids;
pub mod input;
pub mod peers;
pub mod policy;
pub mod reason;
pub mod record;
pub(crate) mod record_text;
mod retry;
mod schedule;
pub mod session;
pub mod snapshot;
pub mod stats;
pub mod timer;
pub mod token;
pub mod verdict;
