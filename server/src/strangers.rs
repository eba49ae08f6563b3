//! Pages of origins that are not allowed. The browser tells their scripts nothing, so the operator is
//! told.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::extract::{allowable, foreign_origin};
use crate::state::AppState;

/// The origins that have called so far.
#[derive(Clone)]
pub(crate) struct Strangers {
    app: AppState,
    met: Arc<Mutex<BTreeSet<String>>>,
}

impl Strangers {
    pub(crate) fn of(app: &AppState) -> Self {
        Self { app: app.clone(), met: Arc::default() }
    }

    fn meet(&self, origin: String) {
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        // Anybody can invent origins, and each would be a line.
        if met.len() < MOST && met.insert(origin.clone()) {
            tracing::warn!(
                "pages of {origin} call, and browsers keep the answers from them; if they may \
                 read them, start with --allow-origin {origin}"
            );
        }
    }
}

/// Logs each origin that is neither our own nor allowed, once.
pub(crate) async fn notice(
    State(strangers): State<Strangers>,
    request: Request,
    next: Next,
) -> Response {
    let origin = foreign_origin(&strangers.app.settings, request.headers());
    if let Some(origin) = origin.and_then(allowable) {
        strangers.meet(origin);
    }
    next.run(request).await
}

/// How many origins are told of.
const MOST: usize = 100;
