use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use http::{HeaderValue, Uri};
use ipnet::IpNet;

use super::{ConfigError, Layer, duration};
use crate::audit::Scope;
use crate::jwt::Algorithm;
use crate::limits::Rates;
use crate::policy::{OnReuse, Policy, PolicyError, RefreshTokens};
use crate::rotation::{Profile, Rules};
use crate::secret::Secret;
use crate::serve::Listening;

/// Settings that fit together.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where the switchboard listens, always on loopback.
    pub control: Option<SocketAddr>,
    /// The folder for keys and database.
    pub data: PathBuf,
    /// Where sessions are kept.
    pub store: StoreKind,
    /// The certificate authorities, in PEM, that alone are trusted for TLS to the store.
    pub store_ca: Option<PathBuf>,
    /// The strategy, with the lives that the operator chose.
    pub policy: Policy,
    /// How far clocks may differ, in seconds.
    pub leeway: u64,
    /// Who may repeat a refresh.
    pub profile: Profile,
    /// The refresh token lives in a cookie.
    pub cookie: bool,
    /// Sign-ins, refreshes and failures are limited.
    pub limits: bool,
    /// How much one party may do.
    pub rates: Rates,
    /// How many connections may be open at once.
    pub max_connections: usize,
    /// Where a header names the client.
    pub trusted_proxies: Vec<IpNet>,
    /// What access tokens are signed with.
    pub signing: Algorithm,
    /// How old a signing key gets, in seconds.
    pub rotate_keys: Option<u64>,
    /// Where the key is that seals the stored keys.
    pub seal_key_file: Option<PathBuf>,
    /// What the audit log holds.
    pub audit: Scope,
    /// How long it is kept, in seconds; none is for ever.
    pub audit_keep: Option<u64>,
    /// Foreign origins that may call.
    pub allow_origin: Vec<HeaderValue>,
    /// A folder of files to serve.
    pub serve: Option<PathBuf>,
    /// Files that are not served, wherever they are; what is in the data folder is not either.
    pub private: Vec<PathBuf>,
    /// `/api/echo` is served.
    pub samples: bool,
    /// Users to add.
    pub users: Vec<(String, Secret)>,
    /// Services that may ask about tokens.
    pub clients: Vec<(String, Secret)>,
    /// What tokens call this server; empty until the listener is bound.
    pub issuer: String,
}

/// Where sessions are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// In memory, gone at the end of the process.
    Memory,
    /// In a SQLite file.
    Sqlite(PathBuf),
    /// In Postgres, at an address that may hold a password.
    Postgres(Secret),
    /// In Redis or Valkey, at an address that may hold a password.
    Redis(Secret),
}

impl StoreKind {
    /// How far the clocks of those who share it may differ if nothing else is said, in seconds: one
    /// process has one clock.
    fn leeway(&self) -> u64 {
        match self {
            Self::Memory | Self::Sqlite(_) => 0,
            Self::Postgres(_) | Self::Redis(_) => 2,
        }
    }
}

impl Settings {
    /// Understands what the layers say together.
    pub fn resolve(layer: Layer) -> Result<Self, ConfigError> {
        let policy = policy(&layer)?;
        let rates = Rates::of(&layer)?;
        let data = layer.data.unwrap_or_else(|| PathBuf::from(".data"));
        let store = store(layer.store.as_ref().map(Secret::expose), &data)?;
        Ok(Self {
            listen: address("listen", layer.listen.as_deref().unwrap_or("127.0.0.1:8080"))?,
            control: layer.control.as_deref().map(loopback).transpose()?,
            store_ca: layer.store_ca.map(|file| store_ca(file, &store)).transpose()?,
            policy,
            leeway: layer.leeway.as_deref().map_or_else(|| Ok(store.leeway()), leeway)?,
            store,
            profile: profile(layer.rotation.as_deref().unwrap_or("keyed"))?,
            cookie: policy.cookie_session || switch("cookie", layer.cookie.as_deref())?,
            limits: limits(layer.limits.as_deref(), layer.control.is_some())?,
            rates,
            max_connections: match &layer.max_connections {
                Some(text) => max_connections(text)?,
                None => Listening::default().most,
            },
            trusted_proxies: layer
                .trusted_proxy
                .iter()
                .map(|text| network(text))
                .collect::<Result<Vec<_>, _>>()?,
            signing: signing(layer.signing.as_deref().unwrap_or("EdDSA"))?,
            rotate_keys: match &layer.rotate_keys {
                Some(text) => rotate_keys(text)?,
                None => Some(ROTATE_KEYS),
            },
            seal_key_file: layer.seal_key_file,
            audit: audit(layer.audit.as_deref().unwrap_or("all"))?,
            audit_keep: match &layer.audit_keep {
                Some(text) => duration::seconds_or_never("audit_keep", text)?,
                None => Some(AUDIT_KEEP),
            },
            allow_origin: layer
                .allow_origin
                .iter()
                .map(|text| origin(text))
                .collect::<Result<Vec<_>, _>>()?,
            serve: layer.serve.map(|path| folder(path, &data)).transpose()?,
            private: Vec::new(),
            data,
            samples: switch("samples", layer.samples.as_deref())? || layer.control.is_some(),
            users: pairs("user", "NAME:PASSWORD", &layer.user)?,
            clients: pairs("client", "ID:SECRET", &layer.client)?,
            issuer: layer.issuer.map(issuer).transpose()?.unwrap_or_default(),
        })
    }

    /// The numbers that a rotation depends on.
    #[must_use]
    pub fn rules(&self) -> Rules {
        let millis = |seconds: Option<u64>| seconds.map(|seconds| seconds.saturating_mul(1_000));
        Rules {
            profile: self.profile,
            idle: millis(self.policy.idle_ttl),
            max_login_age: millis(self.policy.max_login_age),
            reusable: self.policy.refresh_token == RefreshTokens::Reusable,
            resync: self.policy.resync,
            reuse_ends_all: self.policy.on_reuse == OnReuse::RevokeUser,
            ..Rules::default()
        }
    }

    /// Browsers reach us without TLS on this very machine, so a `Secure` cookie would be lost.
    #[must_use]
    pub fn plain_loopback(&self) -> bool {
        let host = self.issuer.strip_prefix("http://").unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        ["127.0.0.1", "[::1]", "localhost"].contains(&host)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            control: None,
            data: PathBuf::from(".data"),
            store: StoreKind::Memory,
            store_ca: None,
            policy: Policy::default(),
            leeway: 0,
            profile: Profile::Keyed,
            cookie: false,
            limits: true,
            rates: Rates::default(),
            max_connections: Listening::default().most,
            trusted_proxies: Vec::new(),
            signing: Algorithm::EdDsa,
            rotate_keys: Some(ROTATE_KEYS),
            seal_key_file: None,
            audit: Scope::All,
            audit_keep: Some(AUDIT_KEEP),
            allow_origin: Vec::new(),
            serve: None,
            private: Vec::new(),
            samples: false,
            users: Vec::new(),
            clients: Vec::new(),
            issuer: "http://127.0.0.1:8080".to_owned(),
        }
    }
}

fn policy(layer: &Layer) -> Result<Policy, ConfigError> {
    let name = layer.policy.as_deref().unwrap_or("silent-refresh");
    let mut policy = Policy::named(name).ok_or_else(|| {
        ConfigError::value("policy", name, "--list-policies prints the names that there are")
    })?;
    if let Some(text) = &layer.access_ttl {
        policy.access_ttl = duration::seconds("access_ttl", text)?;
    }
    if let Some(text) = &layer.idle_ttl {
        policy.idle_ttl = duration::seconds_or_never("idle_ttl", text)?;
    }
    if let Some(text) = &layer.absolute_ttl {
        policy.absolute_ttl = duration::seconds_or_never("absolute_ttl", text)?;
    }

    for text in &layer.set {
        policy.adjust(text).map_err(refused)?;
    }
    let long = switch("allow_long_access", layer.allow_long_access.as_deref())?;
    let eternal = layer.dangerously_eternal_refresh.as_deref();
    let eternal = switch("dangerously_eternal_refresh", eternal)?;
    policy.check(long, eternal).map_err(refused)?;
    Ok(policy)
}

fn refused(error: PolicyError) -> ConfigError {
    ConfigError(error.to_string())
}

fn leeway(text: &str) -> Result<u64, ConfigError> {
    let seconds = duration::seconds("leeway", text)?;
    if seconds > 60 {
        return Err(ConfigError::value("leeway", text, "more than 60 s hides a broken clock"));
    }
    Ok(seconds)
}

fn limits(text: Option<&str>, tested: bool) -> Result<bool, ConfigError> {
    match text {
        None => Ok(!tested),
        Some("on") => Ok(true),
        Some("off") => Ok(false),
        Some(text) => Err(ConfigError::value("limits", text, "it is either on or off")),
    }
}

fn max_connections(text: &str) -> Result<usize, ConfigError> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| ConfigError::value("max_connections", text, "give a number above 0"))
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, ConfigError> {
    let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(one).ok_or_else(|| {
        let remedy = "give the address of the proxy, or its network like 10.0.0.0/8 or fd00::/8";
        ConfigError::value("trusted_proxy", text, remedy)
    })
}

fn signing(text: &str) -> Result<Algorithm, ConfigError> {
    match Algorithm::of_name(text) {
        Some(algorithm @ (Algorithm::EdDsa | Algorithm::Hs256)) => Ok(algorithm),
        _ => Err(ConfigError::value("signing", text, "choose EdDSA or HS256")),
    }
}

fn rotate_keys(text: &str) -> Result<Option<u64>, ConfigError> {
    let every = duration::seconds_or_never("rotate_keys", text)?;
    if every.is_some_and(|every| every < 3_600) {
        let remedy = "verifiers need time to learn a new key; give an hour or more, or never";
        return Err(ConfigError::value("rotate_keys", text, remedy));
    }
    Ok(every)
}

fn audit(text: &str) -> Result<Scope, ConfigError> {
    match text {
        "all" => Ok(Scope::All),
        "ends" => Ok(Scope::Ends),
        "off" => Ok(Scope::Off),
        _ => Err(ConfigError::value("audit", text, "choose all, ends or off")),
    }
}

fn profile(text: &str) -> Result<Profile, ConfigError> {
    match text {
        "keyed" => Ok(Profile::Keyed),
        "keyed+grace" => Ok(Profile::KeyedGrace),
        "grace" => Ok(Profile::Grace),
        _ => Err(ConfigError::value("rotation", text, "choose keyed, keyed+grace or grace")),
    }
}

fn store(text: Option<&str>, data: &Path) -> Result<StoreKind, ConfigError> {
    match text {
        None => Ok(StoreKind::Sqlite(data.join("everfresh.db"))),
        Some("memory:") => Ok(StoreKind::Memory),
        Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            Ok(StoreKind::Postgres(url.into()))
        }
        Some(url) if url.starts_with("redis://") || url.starts_with("rediss://") => {
            Ok(StoreKind::Redis(url.into()))
        }
        Some(url) => match url.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            Some(path) => Ok(StoreKind::Sqlite(PathBuf::from(path))),
            None => Err(ConfigError::value(
                "store",
                url,
                "choose memory:, sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE, \
                 redis://HOST:PORT or rediss://HOST:PORT",
            )),
        },
    }
}

fn store_ca(file: PathBuf, store: &StoreKind) -> Result<PathBuf, ConfigError> {
    match store {
        StoreKind::Postgres(_) => Ok(file),
        StoreKind::Redis(url) if url.expose().starts_with("rediss://") => Ok(file),
        _ => {
            let remedy = "only a --store at postgres:// or rediss:// shows a certificate; change \
                          that or leave this out";
            Err(ConfigError::value("store_ca", &file.display().to_string(), remedy))
        }
    }
}

fn address(name: &str, text: &str) -> Result<SocketAddr, ConfigError> {
    let remedy = "give an IP address and a port, like 127.0.0.1:8080";
    text.parse().map_err(|_| ConfigError::value(name, text, remedy))
}

fn loopback(text: &str) -> Result<SocketAddr, ConfigError> {
    if !cfg!(feature = "control") {
        let remedy = "this program was built without a switchboard, as a server for others should \
                      be; for tests build it with --features control";
        return Err(ConfigError::value("control", text, remedy));
    }
    let address = address("control", text)?;
    if !address.ip().is_loopback() {
        let remedy = "it gives full power without a password, so only loopback will do: \
                      127.0.0.1 and a port";
        return Err(ConfigError::value("control", text, remedy));
    }
    Ok(address)
}

fn switch(name: &str, text: Option<&str>) -> Result<bool, ConfigError> {
    match text {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(text) => Err(ConfigError::value(name, text, "it is either true or false")),
    }
}

fn folder(path: PathBuf, data: &Path) -> Result<PathBuf, ConfigError> {
    let wrong = |remedy| ConfigError::value("serve", &path.display().to_string(), remedy);
    if !path.is_dir() {
        return Err(wrong("there is no such folder"));
    }
    let real = |path: &Path| path.canonicalize().ok();
    if let (Some(data), Some(served)) = (real(data), real(&path))
        && served.starts_with(data)
    {
        return Err(wrong("it is in the data folder, which holds the keys; give another one"));
    }
    Ok(path)
}

/// Names with their secrets. A wrong text is not repeated: it may be a password alone.
fn pairs(name: &str, form: &str, texts: &[Secret]) -> Result<Vec<(String, Secret)>, ConfigError> {
    let pair = |text: &Secret| match text.expose().split_once(':') {
        Some((name, secret)) if !name.is_empty() && !secret.is_empty() => {
            Ok((name.to_owned(), secret.into()))
        }
        _ => Err(ConfigError(format!("--{name}: give {form}, both not empty"))),
    };
    texts.iter().map(pair).collect()
}

fn origin(text: &str) -> Result<HeaderValue, ConfigError> {
    let remedy = "give scheme, host and, if it is not the usual one, port: https://app.example";
    let wrong = || ConfigError::value("allow_origin", text, remedy);
    let uri: Uri = text.parse().map_err(|_| wrong())?;
    let web = matches!(uri.scheme_str(), Some("http" | "https"));
    let bare = text.matches('/').count() == 2 && !text.contains(['@', '?', '#', '*']);
    if !web || !bare || text.chars().any(|letter| letter.is_ascii_uppercase()) {
        return Err(wrong());
    }
    HeaderValue::from_str(text).map_err(|_| wrong())
}

fn issuer(text: String) -> Result<String, ConfigError> {
    let web = text.starts_with("https://") || text.starts_with("http://");
    let plain = text.parse::<Uri>().is_ok() && !text.contains(['?', '#']) && !text.ends_with('/');
    if web && plain {
        Ok(text)
    } else {
        let remedy = "give an http or https URL without a query or a slash at its end";
        Err(ConfigError::value("issuer", &text, remedy))
    }
}

const ROTATE_KEYS: u64 = 90 * 86_400;
const AUDIT_KEEP: u64 = 30 * 86_400;
