//! The listener: HTTP/1.1, drains when asked to stop, and cuts connections when told to.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

use crate::control::Abort;

/// Serves until `stop` resolves, then lets the requests under way finish.
///
/// Without `keep_alive` every connection serves one request. Browsers silently repeat a request
/// when a connection that they reuse is cut, which would hide a cut from a test.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    keep_alive: bool,
    stop: impl Future<Output = ()>,
) {
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    let connection =
                        converse(socket, Peer(peer), router.clone(), keep_alive, stopped.clone());
                    connections.spawn(connection);
                }
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

/// The address of who sent a request, by which failures are limited and listed.
///
/// [`serve()`] takes it from the connection. Whoever serves in another way puts it into the requests,
/// and so does whoever has a proxy before the server, which tells of its clients; without it all of
/// them share one limit:
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

async fn converse(
    socket: TcpStream,
    peer: Peer,
    router: Router,
    keep_alive: bool,
    mut stopped: watch::Receiver<bool>,
) {
    let _ = socket.set_nodelay(true);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let answer = router.clone().oneshot(request.map(Body::new));
        async move {
            let response = answer.await.unwrap_or_else(|never: Infallible| match never {});
            match response.extensions().get::<Abort>() {
                Some(Abort) => Err(Cut),
                None => Ok(response),
            }
        }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(keep_alive)
        .serve_connection(TokioIo::new(socket), service);

    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => {
            Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    if ended.is_err_and(|error| error.is_user()) {
        // A reset, not an orderly end, so that nobody takes it for an empty answer.
        let socket = connection.into_parts().io.into_inner();
        let _ = socket.set_zero_linger();
    }
}

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
