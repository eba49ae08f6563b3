//! The test harness, for builds with the feature `control`: a switchboard that moves the clock, commits
//! faults, makes users and tells what happened. It has no password, so it listens on loopback only.

mod clock;
mod faults;
mod inspect;
mod keys;
mod users;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, Method};
use tower_http::cors::CorsLayer;

pub use faults::{Fault, Faults, Kind, WithoutCors};

use crate::app::assembled;
use crate::error::ApiError;
pub use crate::serve::Abort;
use crate::state::AppState;

/// A server that can be tampered with.
#[derive(Clone, Debug)]
pub struct Harness {
    /// All routes of the server, with the faults laid around them.
    pub app: Router,
    /// The routes of the switchboard. The pages that the server itself serves may use it; no other
    /// origin may.
    pub switchboard: Router,
}

impl Harness {
    /// Builds the harness around a server. Without a fault that was asked for, it behaves as
    /// [`crate::app`] does.
    #[must_use]
    pub fn around(state: AppState) -> Self {
        let faults = Arc::new(Faults::default());
        let committed = from_fn_with_state(Arc::clone(&faults), faults::commit);
        let app = assembled(state.clone(), |router| router.layer(committed));
        let app = app.layer(from_fn(faults::without_cors));
        let settings = &state.settings;
        let app = match settings.control.filter(|_| settings.serve.is_some()) {
            Some(address) => app.layer(from_fn_with_state(address, reachable)),
            None => app,
        };
        Self { app, switchboard: switchboard(state, faults) }
    }
}

/// Lets the pages that we serve use the switchboard.
async fn reachable(State(address): State<SocketAddr>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let policy = response.headers_mut().get_mut(CONTENT_SECURITY_POLICY);
    if let Some(policy) = policy
        && let Ok(text) = policy.to_str()
    {
        let own = "connect-src 'self'";
        let text = text.replace(own, &format!("{own} http://{address}"));
        *policy = HeaderValue::try_from(text).unwrap_or_else(|_| policy.clone());
    }
    response
}

fn switchboard(state: AppState, faults: Arc<Faults>) -> Router {
    let page = format!("http://{}", state.settings.listen);
    let page = state.settings.serve.as_ref().and_then(|_| HeaderValue::try_from(page).ok());
    let cors = CorsLayer::new()
        .allow_origin(page.into_iter().collect::<Vec<_>>())
        .allow_headers([CONTENT_TYPE])
        .allow_methods([Method::GET, Method::POST]);
    Router::new()
        .merge(clock::router())
        .merge(faults::router(faults))
        .merge(keys::router())
        .merge(inspect::router())
        .merge(users::router())
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .fallback(async || ApiError::NotFound)
        .layer(cors)
        .with_state(state)
}
