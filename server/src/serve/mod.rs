//! The listener: HTTP/1.1, drains when asked to stop, and cuts connections when told to.

mod connections;
mod host;

use std::convert::Infallible;
use std::fmt;
use std::future::pending;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::HeaderValue;
use http::header::{CONNECTION, CONTENT_TYPE};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

use self::connections::{Connections, Place};
use crate::error::ApiError;

/// How connections are treated.
#[derive(Clone, Copy, Debug)]
pub struct Listening {
    /// A connection serves one request after the other. Without this it serves one: browsers silently
    /// repeat a request when a connection that they reuse is cut, which would hide a cut from a test.
    pub keep_alive: bool,
    /// How many connections may be open at once. There are never more than leave a quarter of the
    /// files that the operating system allows to the rest of the server. When another one comes, the one that has been waiting
    /// for its client the longest is cut.
    pub most: usize,
}

impl Default for Listening {
    fn default() -> Self {
        Self { keep_alive: true, most: 1_000 }
    }
}

/// Serves until `stop` resolves, then lets the requests under way finish.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    listening: Listening,
    stop: impl Future<Output = ()>,
) {
    let places = Connections::new(listening.most.min(affordable()));
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => match places.enter() {
                    Some(place) => {
                        let visit = Visit { peer: Peer(peer), place: Arc::new(place) };
                        let router = router.clone();
                        let keep_alive = listening.keep_alive;
                        connections.spawn(converse(socket, visit, router, keep_alive, stopped.clone()));
                    }
                    None => turn_away(&socket),
                },
                Err(error) => {
                    // Out of file descriptors, perhaps; trying again at once would only spin.
                    tracing::warn!(%error, "no connection could be accepted");
                    sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }

    drop(listener);
    stopping.send_replace(true);
    let drained = timeout(DRAIN, async { while connections.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!("some connections did not finish in time and are cut");
    }
}

/// The address at the other end of a connection, by which failures are limited and listed.
///
/// [`serve()`] puts it into the requests. Another listener has to do so itself; without it all clients
/// share one limit. A proxy is named with [`crate::config::Settings::trusted_proxies`], and then tells
/// of its clients in the usual headers. One that does so in another header needs a layer:
///
/// ```
/// use std::net::{IpAddr, SocketAddr};
///
/// use axum::Router;
/// use axum::extract::Request;
/// use axum::middleware::{Next, from_fn};
/// use axum::response::Response;
/// use everfresh_server::serve::Peer;
/// use everfresh_server::{AppState, app};
///
/// /// The proxy overwrites this header, so that nobody else can choose what is in it.
/// async fn told_by_the_proxy(mut request: Request, next: Next) -> Response {
///     let header = request.headers().get("x-real-ip").and_then(|text| text.to_str().ok());
///     if let Some(client) = header.and_then(|text| text.parse::<IpAddr>().ok()) {
///         request.extensions_mut().insert(Peer(SocketAddr::new(client, 0)));
///     }
///     next.run(request).await
/// }
///
/// fn router(state: AppState) -> Router {
///     app(state).layer(from_fn(told_by_the_proxy))
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

#[derive(Clone)]
struct Visit {
    peer: Peer,
    place: Arc<Place>,
}

async fn converse(
    socket: TcpStream,
    Visit { peer, place }: Visit,
    router: Router,
    keep_alive: bool,
    mut stopped: watch::Receiver<bool>,
) {
    let _ = socket.set_nodelay(true);
    let (begun, mut begins) = watch::channel(false);
    let own = Arc::clone(&place);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        begun.send_replace(true);
        request.extensions_mut().insert(peer);
        let place = Arc::clone(&own);
        let request = request.map(|body| Body::new(place.reading(body)));
        let router = router.clone();
        async move {
            let response = match host::fault(&request) {
                Some(why) => turned_down(why),
                None => {
                    router.oneshot(request).await.unwrap_or_else(|never: Infallible| match never {})
                }
            };
            match response.extensions().get::<Abort>() {
                Some(Abort) => Err(Cut),
                None if is_of_events(&response) => Ok(response.map(|body| place.streaming(body))),
                None => Ok(response.map(|body| place.writing(body))),
            }
        }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .keep_alive(keep_alive)
        .serve_connection(TokioIo::new(socket), service);

    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => {
            Pin::new(&mut connection).graceful_shutdown();
            tokio::select! {
                ended = &mut connection => ended,
                () = place.cut() => return,
            }
        }
        () = place.cut() => return,
        () = late(&mut begins) => return,
    };
    if ended.is_err_and(|error| error.is_user()) {
        // A reset, not an orderly end, so that nobody takes it for an empty answer.
        let socket = connection.into_parts().io.into_inner();
        let _ = socket.set_zero_linger();
    }
}

/// The answer to a request with which a connection must not go on.
fn turned_down(why: &'static str) -> Response {
    let mut response = ApiError::InvalidRequest(why).into_response();
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Whether an answer is a stream of events, which may be silent for as long as nothing happens.
fn is_of_events(response: &Response<Body>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// Resolves when the first request is long overdue.
async fn late(begins: &mut watch::Receiver<bool>) {
    if timeout(FIRST_HEAD, begins.wait_for(|begun| *begun)).await.is_ok() {
        pending().await
    }
}

/// Says that there is no place, without waiting for anything.
fn turn_away(socket: &TcpStream) {
    tracing::warn!("a connection was turned away: all others are at work");
    let _ = socket.try_write(FULL.as_bytes());
}

/// How many connections leave enough files for the rest of the server.
fn affordable() -> usize {
    #[cfg(unix)]
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    let files: Option<u64> = None;
    let files = files.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX);
    (files - files / 4).max(1)
}

/// Marks an answer that must not be sent: the connection is cut instead.
#[derive(Clone, Copy, Debug)]
pub struct Abort;

/// There will be no answer.
#[derive(Clone, Copy, Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is cut on purpose")
    }
}

impl std::error::Error for Cut {}

const DRAIN: Duration = Duration::from_secs(10);
/// The head of the first request is there after this time.
const FIRST_HEAD: Duration = Duration::from_secs(10);
/// Longer than a proxy keeps its connections to us, so that it never sends into one that we close.
const IDLE: Duration = Duration::from_secs(75);

const FULL: &str = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\n\
                    content-type: application/json\r\ncontent-length: 36\r\n\r\n\
                    {\"error\":\"temporarily_unavailable\"}\n";
