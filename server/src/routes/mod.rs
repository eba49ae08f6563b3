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
mod table;
mod token;
mod well_known;

use axum::Router;

use crate::error::ApiError;
use crate::state::AppState;

pub(crate) fn router(samples: bool) -> Router<AppState> {
    let (router, _) = table::routes(samples).split_for_parts();
    router.method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
}
