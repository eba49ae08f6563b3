use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::post;
use http::StatusCode;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    RETRY_AFTER,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::sleep;

use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::serve::Abort;
use crate::state::AppState;
use crate::store::crash::{self, Point};

pub(super) fn router(faults: Arc<Faults>) -> Router<AppState> {
    Router::new().route("/faults", post(arm).get(show).delete(disarm)).with_state(faults)
}

async fn arm(
    State(faults): State<Arc<Faults>>,
    JsonBody(fault): JsonBody<Fault>,
) -> Result<Json<Vec<Fault>>, ApiError> {
    if fault.kind == Kind::Status && !fault.status.is_some_and(|code| (200..=599).contains(&code)) {
        return Err(ApiError::InvalidRequest("a status fault needs a status from 200 to 599"));
    }
    faults.armed().push(fault);
    Ok(Json(faults.armed().clone()))
}

async fn show(State(faults): State<Arc<Faults>>) -> Json<Vec<Fault>> {
    Json(faults.armed().clone())
}

async fn disarm(State(faults): State<Arc<Faults>>) -> StatusCode {
    faults.armed().clear();
    StatusCode::NO_CONTENT
}

/// Commits the fault that is due for a request, if one is.
pub(super) async fn commit(
    State(faults): State<Arc<Faults>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(fault) = faults.due(&request) else { return next.run(request).await };
    tracing::info!(kind = ?fault.kind, "fault on purpose");
    let pause = Duration::from_millis(fault.delay_ms.unwrap_or(1_000));
    match fault.kind {
        Kind::DropBeforeCommit => abort(),
        Kind::DropAfterCommit => {
            next.run(request).await;
            abort()
        }
        Kind::DelayBeforeCommit => {
            sleep(pause).await;
            next.run(request).await
        }
        Kind::DelayAfterCommit => {
            let response = next.run(request).await;
            sleep(pause).await;
            response
        }
        Kind::Status => fault.answer(),
        Kind::Html => {
            let status = fault.status.and_then(|code| StatusCode::from_u16(code).ok());
            let page = Html("<!doctype html><title>Sign in to the network</title><p>Welcome");
            (status.unwrap_or(StatusCode::OK), page).into_response()
        }
        Kind::NoCors => {
            let mut response = next.run(request).await;
            response.extensions_mut().insert(WithoutCors);
            response
        }
        Kind::Hang => std::future::pending().await,
        Kind::CrashBeforeCommit => {
            crash::arm(Point::BeforeCommit);
            next.run(request).await
        }
        Kind::CrashAfterCommit => {
            crash::arm(Point::AfterCommit);
            next.run(request).await
        }
        Kind::CrashBeforeAnswer => {
            next.run(request).await;
            std::process::abort()
        }
    }
}

/// Takes from an answer what browsers want to see, where a fault asks for that.
pub(super) async fn without_cors(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.extensions().get::<WithoutCors>().is_some() {
        for name in [
            ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_ALLOW_CREDENTIALS,
            ACCESS_CONTROL_EXPOSE_HEADERS,
        ] {
            response.headers_mut().remove(name);
        }
    }
    response
}

/// The faults that wait for a request.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    fn due(&self, request: &Request) -> Option<Fault> {
        let mut armed = self.armed();
        let at = armed.iter().position(|fault| fault.fits(request))?;
        let fault = armed[at].clone();
        armed[at].times -= 1;
        armed.retain(|fault| fault.times > 0);
        Some(fault)
    }

    fn armed(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One kind of trouble for the next requests to a route.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// A path, or a method and a path.
    pub route: String,
    /// What goes wrong.
    pub kind: Kind,
    /// For so many requests.
    #[serde(default = "once")]
    pub times: u32,
    /// How long a delay takes, in real milliseconds (default 1000).
    pub delay_ms: Option<u64>,
    /// The status of a status fault, or of the HTML page.
    pub status: Option<u16>,
    /// The `Retry-After` of a status fault, in seconds.
    pub retry_after: Option<u64>,
}

impl Fault {
    fn fits(&self, request: &Request) -> bool {
        let path = request.uri().path();
        self.times > 0
            && match self.route.split_once(' ') {
                Some((method, route)) => request.method() == method && route == path,
                None => self.route == path,
            }
    }

    fn answer(&self) -> Response {
        let status = self.status.and_then(|code| StatusCode::from_u16(code).ok());
        let status = status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        let body = json!({
            "error": "fault_on_purpose",
            "error_description": "a test asked for this answer",
        });
        let mut response = (status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The connection is cut before the request has any effect.
    DropBeforeCommit,
    /// The request takes effect, and the connection is cut without an answer.
    DropAfterCommit,
    /// The request takes effect late.
    DelayBeforeCommit,
    /// The request takes effect, and the answer comes late.
    DelayAfterCommit,
    /// Another status, without effect.
    Status,
    /// A page in place of the answer, as captive portals send it.
    Html,
    /// The answer lacks what browsers want to see from another origin.
    NoCors,
    /// No answer, ever.
    Hang,
    /// The process dies when the store has decided and not yet committed.
    CrashBeforeCommit,
    /// The process dies when the store has committed and before anybody else knows.
    CrashAfterCommit,
    /// The process dies with the answer in its hands.
    CrashBeforeAnswer,
}

/// Marks an answer that loses its CORS headers on the way out.
#[derive(Clone, Copy, Debug)]
pub struct WithoutCors;

fn abort() -> Response {
    let mut response = StatusCode::BAD_GATEWAY.into_response();
    response.extensions_mut().insert(Abort);
    response
}

fn once() -> u32 {
    1
}
