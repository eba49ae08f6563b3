//! The session in a browser: every Web API behind one small adapter, one loop around the machine.
//!
//! Adapters own what they open and close it when dropped. What takes a platform object with many
//! fields (fetch, locks, listeners, storage) is called by a JavaScript module beside its adapter:
//! passing such objects out of wasm costs more bytes than all else together. Nothing here needs a
//! window: what a runtime lacks is simply not used.

mod channel;
mod clock;
mod entropy;
mod events;
mod face;
mod fields;
mod handle;
mod lock;
mod options;
mod shell;
mod storage;
mod timer;
mod tokens;
mod transport;

pub(crate) use face::Face;
pub(crate) use options::{EngineOptions, Options};
pub(crate) use shell::Shell;
pub(crate) use tokens::parse;
