use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, RedisError, RedisResult, ServerErrorKind,
    TlsCertificates,
};
use tokio::sync::Mutex;

use crate::store::StoreError;

/// One connection to Redis that all requests share, and that is made again when it breaks.
pub(super) struct Link {
    client: Client,
    line: RwLock<Option<Line>>,
    /// Held while connecting; when the last attempt failed, and why.
    failed: Mutex<Option<(Instant, String)>>,
}

/// A connection that was good when it was handed out.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) connection: MultiplexedConnection,
    made: Instant,
}

impl Link {
    /// Understands an address; connects later. Over TLS the server's certificate must lead to one
    /// of these authorities, or else to one that the operating system trusts.
    pub(super) fn to(url: &str, authorities: Option<&[u8]>) -> Result<Self, StoreError> {
        let client = match authorities {
            Some(pem) => {
                let trusted = TlsCertificates { client_tls: None, root_cert: Some(pem.to_vec()) };
                Client::build_with_tls(url, trusted)
            }
            None => Client::open(url),
        };
        let client = client.map_err(error)?;
        if url.starts_with("rediss:") {
            // Whoever embeds this server may have chosen for the whole process already.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        Ok(Self { client, line: RwLock::default(), failed: Mutex::default() })
    }

    /// The connection, made if need be. Who has to wait for an attempt shares its failure, so that
    /// many requests do not try one after the other.
    pub(super) async fn line(&self) -> Result<Line, StoreError> {
        let asked = Instant::now();
        if let Some(line) = self.current() {
            return Ok(line);
        }
        let mut failed = self.failed.lock().await;
        if let Some(line) = self.current() {
            return Ok(line);
        }
        if let Some((when, why)) = &*failed
            && *when > asked
        {
            return Err(StoreError::Redis(why.clone()));
        }
        let limits = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECTING))
            .set_response_timeout(Some(ANSWERING));
        match self.client.get_multiplexed_async_connection_with_config(&limits).await {
            Ok(connection) => {
                let line = Line { connection, made: Instant::now() };
                *self.line.write().unwrap_or_else(PoisonError::into_inner) = Some(line.clone());
                Ok(line)
            }
            Err(why) => {
                *failed = Some((Instant::now(), why.to_string()));
                Err(error(why))
            }
        }
    }

    /// Looks at an answer: after a failure that a new connection may heal, there will be one.
    pub(super) fn heard<T>(&self, line: &Line, answer: RedisResult<T>) -> Result<T, StoreError> {
        answer.map_err(|why| {
            if broken(&why) {
                let mut current = self.line.write().unwrap_or_else(PoisonError::into_inner);
                if current.as_ref().is_some_and(|current| current.made == line.made) {
                    *current = None;
                }
            }
            error(why)
        })
    }

    /// Where Redis is, without the password.
    pub(super) fn address(&self) -> String {
        self.client.get_connection_info().addr().to_string()
    }

    fn current(&self) -> Option<Line> {
        self.line.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Addresses can hold a password.
impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

/// A server that says it is the wrong one has been demoted: the address may lead to another now.
fn broken(why: &RedisError) -> bool {
    match why.kind() {
        ErrorKind::Server(kind) => {
            matches!(kind, ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
        }
        ErrorKind::UnexpectedReturnType | ErrorKind::Extension | ErrorKind::Client => false,
        _ => true,
    }
}

fn error(why: RedisError) -> StoreError {
    StoreError::Redis(why.to_string())
}

const CONNECTING: Duration = Duration::from_secs(2);
/// Longer than a disk takes to flush; shorter than a client waits.
const ANSWERING: Duration = Duration::from_secs(4);
