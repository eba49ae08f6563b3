use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use tokio::sync::OnceCell;
use tokio::time::timeout;

/// Gets the document at a URL.
pub trait Fetch: Send + Sync {
    /// The body of a 200 answer; redirects are not followed.
    fn get<'a>(&'a self, url: &'a Uri) -> Fetching<'a>;
}

/// A document on its way.
type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Bytes, FetchError>> + Send + 'a>>;

/// HTTP/1.1, over TLS with the certificates that the operating system trusts; five seconds and
/// 64 KiB at most.
pub struct HttpFetch {
    plain: Client<HttpConnector, Empty<Bytes>>,
    secure: OnceCell<Client<HttpsConnector<HttpConnector>, Empty<Bytes>>>,
}

impl HttpFetch {
    /// One that has done nothing yet; the certificates are read at the first request.
    #[must_use]
    pub fn new() -> Self {
        let plain = Client::builder(TokioExecutor::new()).build_http();
        Self { plain, secure: OnceCell::new() }
    }

    async fn ask(&self, url: &Uri) -> Result<Bytes, FetchError> {
        let request = Request::get(url.clone()).header("accept", "application/json");
        let request = request.body(Empty::new()).map_err(|_| FetchError("not a URL"))?;
        let asked = if url.scheme_str() == Some("https") {
            self.secure.get_or_try_init(async || secure()).await?.request(request).await
        } else {
            self.plain.request(request).await
        };
        let response = asked.map_err(|_| FetchError("no connection"))?;
        if response.status() != StatusCode::OK {
            return Err(FetchError("the answer is not 200 OK"));
        }
        let body = Limited::new(response.into_body(), LARGEST).collect().await;
        Ok(body.map_err(|_| FetchError("the answer is too long or broke off"))?.to_bytes())
    }
}

impl Fetch for HttpFetch {
    fn get<'a>(&'a self, url: &'a Uri) -> Fetching<'a> {
        Box::pin(async move {
            timeout(PATIENCE, self.ask(url)).await.unwrap_or(Err(FetchError("no answer in time")))
        })
    }
}

impl Default for HttpFetch {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for HttpFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpFetch")
    }
}

/// The document could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(pub &'static str);

fn secure() -> Result<Client<HttpsConnector<HttpConnector>, Empty<Bytes>>, FetchError> {
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(ring::default_provider())
        .map_err(|_| FetchError("the system's certificates cannot be read"))?
        .https_only()
        .enable_http1()
        .build();
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

const PATIENCE: Duration = Duration::from_secs(5);
const LARGEST: usize = 64 * 1_024;
