//! Keeps a signed-in user signed in, for exactly as long as they should be.
//!
//! The crate is a pure session machine ([`core::session::Session`]) and thin shells around it.
//! The machine knows no clock, no network and no browser: everything that can go wrong in keeping
//! a session is decided in one place, which can be run through any interleaving and replayed.
//!
//! # The calling contract
//! 1. Something happened: read both clocks into a [`Now`](core::clock::Now).
//! 2. Give it to [`Session::handle`](core::session::Session::handle) as one
//!    [`Input`](core::input::Input).
//! 3. Call [`Session::poll`](core::session::Session::poll) until it gives `None`, performing each
//!    [`Effect`](core::effect::Effect) in order. Answers that come at once are kept for later
//!    inputs: `handle` is never called in the middle of a drain.
//! 4. Ask [`Session::next_deadline`](core::session::Session::next_deadline) and arm one timer.
//! 5. Sleep until something happens; when it is the timer, the input is
//!    [`Input::TimerFired`](core::input::Input::TimerFired). Being late is allowed.
//!
//! Mutate, drain, sleep: in that order and no other. Debug builds check it.
//!
//! ```
//! use everfresh::core::{
//!     clock::Now, effect::Effect, entropy::Seeded, error::Error,
//!     grant::{Grant, Heals, TokenResponse}, ids::StartId, input::Input, policy::Policy, session::Session,
//! };
//!
//! let now = Now { wall: 1_767_225_600_000, monotonic: 0 };
//! let mut session = Session::new(Policy::default(), Seeded(7), now);
//! let grant = Grant::accept(
//!     TokenResponse {
//!         access_token: "opaque".into(),
//!         refresh_token: Some("also-opaque".into()),
//!         expires_in: Some(300.0),
//!         ..TokenResponse::default()
//!     },
//!     Err(Error::Segments),
//!     Heals::Nothing,
//! )?;
//! session.handle(Input::Start { grant, start: StartId(1) }, now);
//! while let Some(effect) = session.poll() {
//!     match effect {
//!         Effect::Lease(lease) => assert!(lease.is_some()),
//!         // store, broadcast, tell observers ...
//!         _ => {}
//!     }
//! }
//! let deadline = session.next_deadline().expect("a refresh is scheduled");
//! assert!((210_000..=240_000).contains(&deadline.after));
//! # Ok::<(), everfresh::core::error::Error>(())
//! ```
//!
//! # Modules
//! - [`core`]: the machine. Compiles everywhere, touches nothing.
//! - [`engine`]: the machine with its queue, its timer, its storage and its token endpoint.
//! - `web`, with the feature of that name: the session of front ends in Rust. `Session::new` takes plain
//!   options; `Session::builder` takes functions of the application's own and services of another shape.

pub mod core;
pub mod engine;
#[cfg(feature = "npm")]
mod npm;
#[cfg(feature = "adapters")]
pub mod web;
