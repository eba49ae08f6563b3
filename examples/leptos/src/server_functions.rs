//! Server functions with the session's token, and one resend after a 401: take this file along, and
//! write `#[server(client = SessionClient)]`.

use std::sync::OnceLock;

use everfresh::web::Session;
use futures::{Sink, Stream, stream};
use gloo_net::http::{RequestBuilder, Response};
use js_sys::Uint8Array;
use leptos::server_fn::{
    Bytes,
    client::{Client, browser::BrowserClient},
    error::{FromServerFnError, ServerFnErrorErr},
    redirect::REDIRECT_HEADER,
    request::browser::BrowserRequest,
    response::ClientRes,
};
use send_wrapper::SendWrapper;

static SESSION: OnceLock<Session> = OnceLock::new();

/// Sends server functions through the session that [`SessionClient::use_session`] was given.
pub struct SessionClient;

impl SessionClient {
    /// Uses this session, for as long as the page lives.
    pub fn use_session(session: &Session) {
        SESSION.get_or_init(|| session.clone());
    }
}

impl<E, I, O> Client<E, I, O> for SessionClient
where
    E: FromServerFnError,
    I: FromServerFnError,
    O: FromServerFnError,
{
    type Request = BrowserRequest;
    type Response = SessionResponse;

    fn send(request: BrowserRequest) -> impl Future<Output = Result<SessionResponse, E>> + Send {
        SendWrapper::new(async move { send(request).await.map_err(failed) })
    }

    fn open_websocket(
        path: &str,
    ) -> impl Future<
        Output = Result<
            (
                impl Stream<Item = Result<Bytes, Bytes>> + Send + 'static,
                impl Sink<Bytes> + Send + 'static,
            ),
            E,
        >,
    > + Send {
        <BrowserClient as Client<E, I, O>>::open_websocket(path)
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) {
        <BrowserClient as Client<E, I, O>>::spawn(future);
    }
}

async fn send(request: BrowserRequest) -> Result<SessionResponse, String> {
    let session = SESSION.get().ok_or("no session: call SessionClient::use_session first")?;
    // A BrowserRequest that is dropped, or converted, is aborted. So it stays here to the end, and
    // another request is sent.
    let body = request.binary().await.map_err(text)?;
    let copy =
        RequestBuilder::new(&request.url()).method(request.method()).headers(request.headers());
    let copy = if body.is_empty() { copy.build() } else { copy.body(Uint8Array::from(&*body)) };
    let response = session.fetch(copy.map_err(text)?.into()).await.map_err(text)?;
    Ok(SessionResponse(SendWrapper::new(response.into())))
}

/// A response as it came.
pub struct SessionResponse(SendWrapper<Response>);

impl<E: FromServerFnError> ClientRes<E> for SessionResponse {
    fn try_into_string(self) -> impl Future<Output = Result<String, E>> + Send {
        SendWrapper::new(async move { self.0.text().await.map_err(text).map_err(failed) })
    }

    fn try_into_bytes(self) -> impl Future<Output = Result<Bytes, E>> + Send {
        SendWrapper::new(async move {
            self.0.binary().await.map(Bytes::from).map_err(text).map_err(failed)
        })
    }

    /// In one piece, when all of it is there.
    fn try_into_stream(
        self,
    ) -> Result<impl Stream<Item = Result<Bytes, Bytes>> + Send + Sync + 'static, E> {
        let bytes = async move { ClientRes::<E>::try_into_bytes(self).await.map_err(|e| e.ser()) };
        Ok(SendWrapper::new(stream::once(bytes)))
    }

    fn status(&self) -> u16 {
        self.0.status()
    }

    fn status_text(&self) -> String {
        self.0.status_text()
    }

    fn location(&self) -> String {
        self.0.headers().get("Location").unwrap_or_else(|| self.0.url())
    }

    fn has_redirect(&self) -> bool {
        self.0.headers().get(REDIRECT_HEADER).is_some()
    }
}

fn failed<E: FromServerFnError>(error: String) -> E {
    E::from_server_fn_error(ServerFnErrorErr::Request(error))
}

fn text(error: impl ToString) -> String {
    error.to_string()
}
