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
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::tls::authorities;

/// Gets the document at a URL.
pub trait Fetch: Send + Sync {
    /// The body of a 200 answer; redirects are not followed.
    fn get<'a>(&'a self, url: &'a Uri) -> Fetching<'a>;
}

type Secure = Client<HttpsConnector<HttpConnector>, Empty<Bytes>>;

/// A document on its way.
type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Bytes, FetchError>> + Send + 'a>>;

/// HTTP/1.1, over TLS with the certificates that the operating system trusts, or with others; five
/// seconds and 64 KiB at most.
pub struct HttpFetch {
    roots: Option<RootCertStore>,
    plain: Client<HttpConnector, Empty<Bytes>>,
    secure: OnceCell<Secure>,
}

impl HttpFetch {
    /// One that has done nothing yet; the certificates are read at the first request.
    #[must_use]
    pub fn new() -> Self {
        Self::over(None)
    }

    /// One that trusts nobody but the certificate authorities in a PEM text, such as those of a
    /// private network.
    pub fn trusting(pem: &[u8]) -> Result<Self, FetchError> {
        let roots = authorities(pem).ok_or(FetchError("no PEM of certificate authorities"))?;
        Ok(Self::over(Some(roots)))
    }

    fn over(roots: Option<RootCertStore>) -> Self {
        let plain = Client::builder(TokioExecutor::new()).build_http();
        Self { roots, plain, secure: OnceCell::new() }
    }

    async fn ask(&self, url: &Uri) -> Result<Bytes, FetchError> {
        let request = Request::get(url.clone()).header("accept", "application/json");
        let request = request.body(Empty::new()).map_err(|_| FetchError("not a URL"))?;
        let asked = if url.scheme_str() == Some("https") {
            self.secure.get_or_try_init(async || self.secure()).await?.request(request).await
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

    fn secure(&self) -> Result<Secure, FetchError> {
        let builder = HttpsConnectorBuilder::new();
        let builder = match &self.roots {
            Some(roots) => {
                let config = ClientConfig::builder_with_provider(ring::default_provider().into())
                    .with_safe_default_protocol_versions()
                    .map_err(|_| FetchError("there is no TLS to be had"))?;
                let config = config.with_root_certificates(roots.clone());
                builder.with_tls_config(config.with_no_client_auth())
            }
            None => builder
                .with_provider_and_native_roots(ring::default_provider())
                .map_err(|_| FetchError("the system's certificates cannot be read"))?,
        };
        let connector = builder.https_only().enable_http1().build();
        Ok(Client::builder(TokioExecutor::new()).build(connector))
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

const PATIENCE: Duration = Duration::from_secs(5);
const LARGEST: usize = 64 * 1_024;
