//! The switchboard for tests: it moves the clock, commits faults, makes users and tells what
//! happened. It has no password, so it listens on loopback only.

mod clock;
mod faults;
mod keys;
mod look;
mod users;

use axum::Router;

pub(crate) use faults::commit_faults;
pub use faults::{Abort, Fault, Faults, Kind, WithoutCors};

use crate::error::ApiError;
use crate::state::AppState;

/// The routes of the switchboard.
pub fn control(state: AppState) -> Router {
    Router::new()
        .merge(clock::router())
        .merge(faults::router())
        .merge(keys::router())
        .merge(look::router())
        .merge(users::router())
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .fallback(async || ApiError::NotFound)
        .with_state(state)
}
