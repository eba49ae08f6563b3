//! The routes, one module per resource.

mod devices;
mod echo;
mod events;
mod health;
mod introspect;
pub(crate) mod issue;
mod login;
mod logout;
mod me;
mod metrics;
mod openapi;
mod password;
mod profile;
mod refresh;
mod renew;
mod revoke;
mod token;
mod well_known;

use axum::Router;

use crate::error::ApiError;
use crate::state::AppState;

pub(crate) fn router(samples: bool) -> Router<AppState> {
    let router = if samples { echo::router() } else { Router::new() };
    router
        .merge(devices::router())
        .merge(events::router())
        .merge(health::router())
        .merge(introspect::router())
        .merge(login::router())
        .merge(logout::router())
        .merge(me::router())
        .merge(metrics::router())
        .merge(openapi::router())
        .merge(password::router())
        .merge(profile::router())
        .merge(refresh::router())
        .merge(renew::router())
        .merge(revoke::router())
        .merge(token::router())
        .merge(well_known::router())
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
}
