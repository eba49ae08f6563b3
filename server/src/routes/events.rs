use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use hyper::body::Frame;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

use super::introspect;
use crate::error::ApiError;
use crate::events::Event;
use crate::extract::Client;
use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/oauth/events", get(events))
}

/// A stream of server-sent events for gateways that keep answers of introspection: forget these.
async fn events(
    State(app): State<AppState>,
    client: Client,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    introspect::admit(&app, client, &headers)?;
    let receiver = app.events.subscribe().ok_or(ApiError::Unavailable)?;
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    Ok((headers, Body::new(Feed(next(receiver, true)))).into_response())
}

/// The stream as a body: it has always asked for its next piece.
struct Feed(Next);

type Next = Pin<Box<dyn Future<Output = Option<(Bytes, Receiver<Event>)>> + Send>>;

impl hyper::body::Body for Feed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some((text, receiver)) = ready!(self.0.as_mut().poll(context)) else {
            self.0 = Box::pin(async { None });
            return Poll::Ready(None);
        };
        self.0 = next(receiver, false);
        Poll::Ready(Some(Ok(Frame::data(text))))
    }
}

/// What to send next. The first piece comes at once: it tells that the subscription stands.
fn next(mut receiver: Receiver<Event>, first: bool) -> Next {
    Box::pin(async move {
        let text = if first {
            ": subscribed\n\n".into()
        } else {
            match timeout(HEARTBEAT, receiver.recv()).await {
                Err(_) => ": still here\n\n".into(),
                Ok(Err(RecvError::Closed)) => return None,
                Ok(Err(RecvError::Lagged(missed))) => {
                    format!("event: missed\ndata: {{\"missed\":{missed}}}\n\n").into()
                }
                Ok(Ok(event)) => {
                    let data = serde_json::to_string(&event).unwrap_or_default();
                    format!("event: ended\ndata: {data}\n\n").into()
                }
            }
        };
        Some((text, receiver))
    })
}

/// Often enough that no proxy takes the silence for the end.
const HEARTBEAT: Duration = Duration::from_secs(15);
