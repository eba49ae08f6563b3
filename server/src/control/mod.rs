//! The switchboard for tests: it moves the clock, commits faults, makes users and tells what
//! happened. It has no password, so it listens on loopback only.

mod clock;
mod faults;
mod keys;
mod look;
mod users;

use axum::Router;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use tower_http::cors::CorsLayer;

pub(crate) use faults::commit_faults;
pub use faults::{Abort, Fault, Faults, Kind, WithoutCors};

use crate::error::ApiError;
use crate::state::AppState;

/// The routes of the switchboard. The pages that the server itself serves may use it; no other
/// origin may.
pub fn control(state: AppState) -> Router {
    let page = format!("http://{}", state.settings.listen);
    let page = state.settings.serve.as_ref().and_then(|_| HeaderValue::try_from(page).ok());
    let cors = CorsLayer::new()
        .allow_origin(page.into_iter().collect::<Vec<_>>())
        .allow_headers([CONTENT_TYPE])
        .allow_methods([Method::GET, Method::POST]);
    Router::new()
        .merge(clock::router())
        .merge(faults::router())
        .merge(keys::router())
        .merge(look::router())
        .merge(users::router())
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .fallback(async || ApiError::NotFound)
        .layer(cors)
        .with_state(state)
}
