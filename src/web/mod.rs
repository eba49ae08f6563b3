//! The machine in a browser, behind numbers and texts.
//!
//! All that knows the platform is written in TypeScript, where it costs a third of the bytes: the
//! loop around the machine, its timer, and one adapter for each Web API. What is left here turns
//! inputs and effects into the few things that cross the border cheaply. Three rules keep it small:
//! - JavaScript calls, Rust never calls back: effects are fetched one by one, and only then does
//!   anything happen. So nothing here is ever met while it is borrowed.
//! - No object crosses. Sessions are numbers, and so is what happened.
//! - What is more than a call's result leaves piece by piece, through [`host::text`] and
//!   [`host::number`], and is taken by the caller as soon as the call returns.

pub(crate) mod effects;
pub(crate) mod host;
pub(crate) mod inputs;
pub(crate) mod realm;
