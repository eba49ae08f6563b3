//! From settings to a server that is ready.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use crate::accounts::{self, AccountError};
use crate::clock::Clock;
use crate::config::{Settings, StoreKind};
use crate::jwt::{KeyError, Keyring, Seal, seconds};
use crate::password::{PasswordError, Passwords};
use crate::secret::Secret;
use crate::shared_keys::{self, SharedKeyError};
use crate::state::AppState;
use crate::store::{
    MemoryStore, PostgresStore, RedisStore, RotationContext, SharedStore, SqliteStore, Store,
    StoreError,
};
use crate::tls::authorities;

/// Opens keys and store for a server, making them on the first start, and adds the users of the
/// settings. Without an issuer the server is called by the address that it is to listen on. A port of 0
/// is none yet, and 0.0.0.0 is nobody's, so both are refused: put the address that was bound into the
/// settings, or an issuer.
pub async fn open(settings: Settings) -> Result<AppState, StartError> {
    let state = assemble(settings, SqliteStore::open).await?;
    let (signing, now) = (state.settings.signing, seconds(state.clock.now()));
    let longest = longest_life(&state.settings);
    shared_keys::change(&state, |keys| keys.sign_with(signing, now, longest)).await?;
    for (name, password) in &state.settings.users {
        if state.store.user_named(name.clone()).await?.is_some() {
            tracing::info!(name, "the user exists and stays as it is");
            continue;
        }
        let now = state.clock.now();
        let user = accounts::new_user(&state.passwords, name, password.clone(), now).await?;
        state.store.add_user(user).await?;
        tracing::info!(name, "user added");
    }
    Ok(state)
}

/// The same for a command that writes, which may run beside a server.
pub async fn beside(settings: Settings) -> Result<AppState, StartError> {
    assemble(settings, SqliteStore::beside).await
}

async fn assemble(
    mut settings: Settings,
    sqlite: fn(&Path, RotationContext) -> Result<SqliteStore, StoreError>,
) -> Result<AppState, StartError> {
    if settings.issuer.is_empty() {
        if settings.listen.port() == 0 || settings.listen.ip().is_unspecified() {
            return Err(StartError::Issuer(settings.listen));
        }
        settings.issuer = format!("http://{}", settings.listen);
        tracing::info!(issuer = settings.issuer, "no issuer was given: it is the address");
    }
    if settings.cookie && settings.plain_loopback() {
        tracing::info!("plain http on loopback: the cookie is called everfresh and is not Secure");
    }
    let (keys, store): (Keyring, Arc<dyn Store>) = match &settings.store {
        StoreKind::Memory => {
            let keys =
                Keyring::ephemeral().map_err(|error| StartError::Keys(PathBuf::new(), error))?;
            let store = MemoryStore::new(AppState::terms(&settings, &keys));
            tracing::info!("keys, users and sessions are in memory and end with the process");
            (keys, Arc::new(store))
        }
        StoreKind::Sqlite(path) => {
            let (keys, fresh, file) = keys(&settings)?;
            let known = path.exists();
            let store = sqlite(path, AppState::terms(&settings, &keys))?;
            let made = |new: bool| if new { "made" } else { "found" };
            tracing::info!("keys {} in {}", made(fresh), file.display());
            tracing::info!("database {} in {}", made(!known), path.display());
            (keys, Arc::new(store))
        }
        StoreKind::Postgres(url) => made_or_found(&settings, postgres(&settings, url)?).await?,
        StoreKind::Redis(url) => made_or_found(&settings, redis(&settings, url)?).await?,
    };
    Ok(AppState::new(settings, Clock::system(), store, keys, Passwords::new()?))
}

/// What an earlier start has made, for commands. Nothing is made here, and nothing changed.
pub async fn existing(settings: Settings) -> Result<AppState, StartError> {
    let there = |file: &Path| match file.exists() {
        true => Ok(()),
        false => Err(StartError::Missing(file.to_owned())),
    };
    let (keys, store): (Keyring, Arc<dyn Store>) = match &settings.store {
        StoreKind::Memory => return Err(StartError::Missing(PathBuf::from("memory:"))),
        StoreKind::Sqlite(path) => {
            let file = settings.data.join("keys.json");
            there(&file)?;
            there(path)?;
            let keys = Keyring::existing(&file, seal(&settings)?);
            let keys = keys.map_err(|error| StartError::Keys(file.clone(), error))?;
            let store = SqliteStore::read_only(path, AppState::terms(&settings, &keys))?;
            (keys, Arc::new(store))
        }
        StoreKind::Postgres(url) => found(&settings, postgres(&settings, url)?).await?,
        StoreKind::Redis(url) => found(&settings, redis(&settings, url)?).await?,
    };
    Ok(AppState::new(settings, Clock::system(), store, keys, Passwords::new()?))
}

/// Keys and sessions in a store that several processes share, both made if need be.
async fn made_or_found(
    settings: &Settings,
    store: Box<dyn SharedStore>,
) -> Result<(Keyring, Arc<dyn Store>), StartError> {
    store.migrate().await?;
    let (keys, fresh) = shared_keys::open(&*store, seal(settings)?).await?;
    let made = if fresh { "made" } else { "found" };
    let (name, address) = (store.name(), store.address());
    tracing::info!("keys {made}, and sessions, in {name} at {address}");
    for warning in store.config_warnings().await? {
        tracing::warn!("{name} at {address}: {warning}");
    }
    let terms = AppState::terms(settings, &keys);
    Ok((keys, store.under(terms)))
}

/// The same without making anything.
async fn found(
    settings: &Settings,
    store: Box<dyn SharedStore>,
) -> Result<(Keyring, Arc<dyn Store>), StartError> {
    store.is_up_to_date().await?;
    let missing = || StartError::Missing(PathBuf::from(store.address()));
    let text = store.keys().await?.ok_or_else(missing)?;
    let keys = Keyring::from_bytes(&text, seal(settings)?).map_err(SharedKeyError::from)?;
    let terms = AppState::terms(settings, &keys);
    Ok((keys, store.under(terms)))
}

fn postgres(settings: &Settings, url: &Secret) -> Result<Box<dyn SharedStore>, StartError> {
    let authorities = settings.store_ca.as_deref().map(certificates).transpose()?;
    let store = PostgresStore::at(url.expose(), authorities.as_deref(), unknown(settings)?);
    Ok(Box::new(store?))
}

fn redis(settings: &Settings, url: &Secret) -> Result<Box<dyn SharedStore>, StartError> {
    let (url, terms) = (url.expose(), unknown(settings)?);
    Ok(Box::new(match &settings.store_ca {
        Some(file) => RedisStore::trusting(url, &certificates(file)?, terms)?,
        None => RedisStore::at(url, terms)?,
    }))
}

/// Terms for asking a store what the keys are, and for no more.
fn unknown(settings: &Settings) -> Result<RotationContext, StartError> {
    Ok(AppState::terms(settings, &Keyring::ephemeral().map_err(SharedKeyError::from)?))
}

fn certificates(file: &Path) -> Result<Vec<u8>, StartError> {
    let wrong = |error| StartError::StoreCa(file.to_owned(), error);
    let pem = fs::read(file).map_err(wrong)?;
    match authorities(&pem) {
        Some(_) => Ok(pem),
        None => Err(wrong(io::Error::other("it holds no PEM of certificate authorities"))),
    }
}

fn seal(settings: &Settings) -> Result<Option<Seal>, StartError> {
    let Some(file) = &settings.seal_key_file else { return Ok(None) };
    Seal::from_file(file).map(Some).map_err(|error| StartError::Keys(file.clone(), error))
}

/// The keys in the data folder, both made if need be; whether the keys were; and their file.
pub fn keys(settings: &Settings) -> Result<(Keyring, bool, PathBuf), StartError> {
    make_folder(&settings.data)?;
    let file = settings.data.join("keys.json");
    let wrong = |error| StartError::Keys(file.clone(), error);
    let (keys, fresh) = Keyring::open_sealed(&file, seal(settings)?).map_err(wrong)?;
    Ok((keys, fresh, file))
}

/// How long after its making an access token can be good, in seconds.
#[must_use]
pub fn longest_life(settings: &Settings) -> u64 {
    settings.policy.access_ttl.saturating_add(settings.leeway)
}

/// The folder is for this user alone: it holds the keys.
fn make_folder(path: &Path) -> Result<(), StartError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| StartError::Data(path.to_owned(), error))
}

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no issuer, and the address to listen on leads nobody here.
    #[error(
        "tokens cannot name http://{0} as their issuer, for it leads nobody here; give the URL that \
         clients see with --issuer, like https://auth.example.com, or with --listen an address and \
         a port that they can use"
    )]
    Issuer(SocketAddr),
    /// A command is about a server that has never been started.
    #[error(
        "there is nothing of a server in {0}: give the --data and --store that it runs with, or \
         start it once"
    )]
    Missing(PathBuf),
    /// The keys, and where they are.
    #[error("the keys in {0}: {1}")]
    Keys(PathBuf, KeyError),
    /// The store.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// The certificate authorities for TLS to the store.
    #[error("--store-ca {0}: {1}")]
    StoreCa(PathBuf, io::Error),
    /// The keys that the store keeps.
    #[error("the keys in the store: {0}")]
    SharedKeys(#[from] SharedKeyError),
    /// Argon2.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// A user of the settings could not be added.
    #[error(transparent)]
    User(#[from] AccountError),
    /// The data folder.
    #[error("the data folder {0}: {1}; give another one with --data")]
    Data(PathBuf, io::Error),
}
