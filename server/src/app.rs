use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, RETRY_AFTER,
    STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowHeaders, CorsLayer};
use tracing::Instrument as _;

use crate::error::ApiError;
use crate::files;
use crate::policy::Policy;
use crate::renewing::renewing;
use crate::routes;
use crate::secret::random;
use crate::state::AppState;
use crate::strangers::{self, Strangers};

/// All routes of the server, ready to run or to be merged into another router.
///
/// It answers unknown paths too, with 404 in JSON or the files of `--serve`. An application that does
/// so itself merges `app(state).reset_fallback()`.
pub fn app(state: AppState) -> Router {
    assembled(state, |router| router)
}

/// The same with something laid around the handlers, under what every answer gets.
pub(crate) fn assembled(
    state: AppState,
    wrap: impl FnOnce(Router<AppState>) -> Router<AppState>,
) -> Router {
    let router = routes::router(state.settings.samples);
    let router = match &state.settings.serve {
        Some(folder) => router.fallback_service(files::router(folder, &state.settings)),
        None => router.fallback(ApiError::not_found),
    };
    let tls = Tls(state.settings.issuer.starts_with("https://"));
    let router = router
        .layer(from_fn_with_state(state.clone(), renewing))
        .layer(from_fn_with_state(tls, guard))
        .layer(from_fn_with_state(state.clone(), finish));
    wrap(router)
        .layer(cors(&state))
        .layer(from_fn_with_state(Strangers::of(&state), strangers::notice))
        .layer(from_fn_with_state(state.clone(), observe))
        .with_state(state)
}

/// Whether clients reach us over TLS.
#[derive(Clone, Copy)]
struct Tls(bool);

/// Gives a request a task of its own: what it has begun is finished, whether or not its client still
/// waits for the answer.
async fn finish(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let work = next.run(request).in_current_span();
    app.work.spawn(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a handler has failed");
        ApiError::Internal.into_response()
    })
}

/// Headers that every answer carries.
async fn guard(State(Tls(tls)): State<Tls>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(PERMISSIONS_POLICY, HeaderValue::from_static(NO_DEVICES));
    if tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    response
}

/// Exactly the allowed origins, with credentials, on errors as well.
fn cors(state: &AppState) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(state.settings.allow_origin.clone())
        .allow_credentials(!state.settings.allow_origin.is_empty())
        .allow_headers(AllowHeaders::mirror_request())
        .allow_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .expose_headers([RETRY_AFTER, WWW_AUTHENTICATE, X_REQUEST_ID, REFRESH_REPLAYED, X_JWT])
        .max_age(Duration::from_secs(600))
}

/// Names, counts and logs a request; never a header or a body, so never a token.
async fn observe(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("(other)", MatchedPath::as_str);
    let (method, path) = (known(request.method()).to_owned(), path.to_owned());
    let id = random::<9>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).unwrap_or_default();
    app.stats.request(&method, &path);
    let span = tracing::info_span!("request", id, route = format!("{method} {path}"));
    let began = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;

    let status = response.status().as_u16();
    app.stats.response(&method, &path, status, began.elapsed());
    span.in_scope(|| tracing::debug!(status, "answered"));
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    response
}

/// Anybody can invent methods, and each would be counted for itself.
fn known(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::OPTIONS => method.as_str(),
        _ => "OTHER",
    }
}

/// What a page of ours may do.
const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; \
                   style-src 'self'; img-src 'self' data:; manifest-src 'self'; base-uri 'none'; \
                   form-action 'self'; frame-ancestors 'none'";
const NO_DEVICES: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REFRESH_REPLAYED: HeaderName = HeaderName::from_static("refresh-replayed");
const X_JWT: HeaderName = HeaderName::from_static(Policy::HEADER);
