//! The companion server of Everfresh: issues, rotates, verifies and revokes session tokens.
//!
//! As a library it is one function, [`app`], which gives an axum router to run or to mount:
//!
//! ```
//! use std::sync::Arc;
//!
//! use everfresh_server::clock::Clock;
//! use everfresh_server::config::Settings;
//! use everfresh_server::jwt::Keyring;
//! use everfresh_server::password::Passwords;
//! use everfresh_server::store::MemoryStore;
//! use everfresh_server::{AppState, app};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::default();
//! let keys = Keyring::ephemeral()?;
//! let store = Arc::new(MemoryStore::new(AppState::terms(&settings, &keys)));
//! let state = AppState::new(settings, Clock::system(), store, keys, Passwords::new()?);
//! let router: axum::Router = app(state);
//! # Ok(())
//! # }
//! ```
//!
//! - [`rotation`] decides about refresh tokens; pure, and the heart of the whole.
//! - [`store`] keeps users and session families, and makes each decision one atomic step.
//! - [`jwt`] signs and verifies access tokens.
//! - [`events`] and [`audit`] tell gateways and the operator what became of sessions.
//! - [`policy`] and [`config`] say what the operator wants.
//! - [`accounts`] is what an operator does to users.
//! - [`AccessToken`] and [`MaybeAccessToken`] are extractors for handlers of your own.
//! - [`serve`] is the listener. With the feature `control` there is a test harness besides.

mod access_token;
pub mod accounts;
mod admission;
mod app;
pub mod audit;
pub mod bootstrap;
pub mod clock;
pub mod config;
#[cfg(feature = "control")]
pub mod control;
mod due;
mod duration;
mod error;
pub mod events;
mod extract;
mod files;
mod guess;
mod instrumented_store;
pub mod jwt;
mod limits;
pub mod maintenance;
pub mod password;
pub mod policy;
mod renewing;
pub mod rotation;
mod routes;
pub mod secret;
pub mod serve;
pub mod shared_keys;
mod state;
mod stats;
pub mod store;
mod strangers;
mod tls;
mod token_status;

pub use access_token::{AccessToken, MaybeAccessToken};
pub use admission::Session;
pub use app::app;
pub use error::ApiError;
pub use limits::{Limits, Rate, Rates};
pub use renewing::renewing;
pub use state::{AppState, Shared};
pub use stats::{Counted, Stats};
