use std::time::Duration;

use deadpool_postgres::{
    Client, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::tls::Tls;
use super::trouble::{Trouble, with_causes};
use crate::store::StoreError;

/// The connections to Postgres, made when they are needed and kept for the next step.
pub(super) struct Link {
    pool: Pool,
    address: String,
}

impl Link {
    /// Understands an address; connects later.
    pub(super) fn to(url: &str, authorities: Option<&[u8]>) -> Result<Self, StoreError> {
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            StoreError::Postgres(format!("the address does not read: {}", with_causes(&error)))
        })?;
        if config.get_hosts().is_empty() {
            return Err(StoreError::Postgres(
                "the address names no host: give postgres://USER:PASSWORD@HOST/DATABASE, or \
                 ?host=/run/postgresql for a socket"
                    .to_owned(),
            ));
        }
        let mut hosts = config.get_hosts().iter();
        let socket = hosts.clone().all(|host| matches!(host, Host::Unix(_)));
        let plain = socket || authorities.is_none() && hosts.all(is_here);
        // What may be encrypted or not promises nothing, so it is one or the other.
        if config.get_ssl_mode() == SslMode::Prefer {
            config.ssl_mode(if plain { SslMode::Disable } else { SslMode::Require });
        }
        let options = format!("{} {SETTINGS}", config.get_options().unwrap_or_default());
        config.options(options.trim_start()).connect_timeout(CONNECTING);
        config.tcp_user_timeout(ANSWERING).keepalives_idle(Duration::from_secs(30));
        if config.get_application_name().is_none() {
            config.application_name("everfresh-server");
        }
        let (address, kept) = (address(&config), RecyclingMethod::Fast);
        let kept = ManagerConfig { recycling_method: kept };
        let manager = match config.get_ssl_mode() {
            SslMode::Disable => Manager::from_config(config, tokio_postgres::NoTls, kept),
            _ => Manager::from_config(config, Tls::trusting(authorities)?, kept),
        };
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .create_timeout(Some(CONNECTING))
            .wait_timeout(Some(ANSWERING))
            .build();
        let pool = pool.map_err(|error| StoreError::Postgres(error.to_string()))?;
        Ok(Self { pool, address })
    }

    /// A connection for one step.
    pub(super) async fn line(&self) -> Result<Line, Trouble> {
        let client = self.pool.get().await.map_err(|error| {
            let why = match error {
                PoolError::Backend(error) => refused(&error),
                PoolError::Timeout(_) => format!("{} does not answer", self.address),
                other => with_causes(&other),
            };
            StoreError::Postgres(why)
        })?;
        Ok(Line(Some(client)))
    }

    /// Where Postgres is, without user and password.
    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

/// A connection that goes back to the others only after [`Line::keep`]: one that was left in the
/// middle of a step, because the request was cancelled or Postgres did not answer, is closed.
pub(super) struct Line(Option<Client>);

impl Line {
    pub(super) fn client(&self) -> Result<&Client, StoreError> {
        self.0.as_ref().ok_or(StoreError::Closed)
    }

    /// Nothing is open or unanswered on it.
    pub(super) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            drop(Object::take(client));
        }
    }
}

/// Addresses can hold a password.
impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("address", &self.address).finish_non_exhaustive()
    }
}

fn refused(error: &tokio_postgres::Error) -> String {
    let why = with_causes(error);
    if why.contains("TLS") || why.contains("certificate") {
        return format!(
            "{why}; its certificate must lead to an authority that the operating system trusts, or \
             to one of --store-ca FILE. On a private network ?sslmode=disable leaves TLS out"
        );
    }
    why
}

/// On this machine nobody is in between.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Host::Unix(_) => true,
    }
}

fn address(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(number, host)| {
        let port = ports.get(number).or_else(|| ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(path) => format!("{}:{port}", path.display()),
        }
    });
    hosts.collect::<Vec<_>>().join(",")
}

/// Reads go by an index always: what a table scan has read conflicts with every other step. A step
/// that the server has given up holds no lock for long.
const SETTINGS: &str = "-c enable_seqscan=off -c statement_timeout=4s \
                        -c idle_in_transaction_session_timeout=10s";
/// Postgres gives its best with a few connections for each core; it allows 100 in all by default.
const CONNECTIONS: usize = 16;
const CONNECTING: Duration = Duration::from_secs(2);
/// Longer than a disk takes to flush; shorter than a client waits.
pub(super) const ANSWERING: Duration = Duration::from_secs(5);
