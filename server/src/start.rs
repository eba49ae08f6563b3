//! From settings to a server that is ready.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::config::{Settings, StoreKind};
use crate::jwt::{KeyError, Keyring, Seal, seconds};
use crate::password::{PasswordError, Passwords};
use crate::rotation::Millis;
use crate::secret::{Secret, random};
use crate::shared_keys::{self, SharedKeyError};
use crate::state::AppState;
use crate::store::{
    MemoryStore, PostgresStore, RedisStore, RotationContext, SqliteStore, Store, StoreError, User,
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
        let user = new_user(&state.passwords, name, password.clone(), now).await?;
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
        StoreKind::Postgres(url) => {
            let (keys, store) = postgres(&settings, url).await?;
            (keys, Arc::new(store))
        }
        StoreKind::Redis(url) => {
            let (keys, store) = redis(&settings, url).await?;
            (keys, Arc::new(store))
        }
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
        StoreKind::Postgres(url) => {
            let store = postgres_at(&settings, url)?;
            store.is_up_to_date().await?;
            let text = store.keys().await?;
            let missing = || StartError::Missing(PathBuf::from(store.address()));
            let keys = Keyring::from_bytes(&text.ok_or_else(missing)?, seal(&settings)?);
            let keys = keys.map_err(|error| StartError::SharedKeys(error.into()))?;
            let terms = AppState::terms(&settings, &keys);
            (keys, Arc::new(store.under(terms)))
        }
        StoreKind::Redis(url) => {
            let store = redis_at(&settings, url)?;
            let text = store.keys().await?;
            let text = text.ok_or_else(|| StartError::Missing(PathBuf::from(store.address())))?;
            let keys = Keyring::from_bytes(&text, seal(&settings)?);
            let keys = keys.map_err(|error| StartError::SharedKeys(error.into()))?;
            let terms = AppState::terms(&settings, &keys);
            (keys, Arc::new(store.under(terms)))
        }
    };
    Ok(AppState::new(settings, Clock::system(), store, keys, Passwords::new()?))
}

/// A store that several processes share, and the keys that they find in it.
async fn postgres(
    settings: &Settings,
    url: &Secret,
) -> Result<(Keyring, PostgresStore), StartError> {
    let store = postgres_at(settings, url)?;
    store.migrate().await?;
    let (keys, fresh) = shared_keys::open(&store, seal(settings)?).await?;
    let made = if fresh { "made" } else { "found" };
    tracing::info!("keys {made}, and sessions, in Postgres at {}", store.address());
    for warning in store.config_warnings().await? {
        tracing::warn!("Postgres at {}: {warning}", store.address());
    }
    let terms = AppState::terms(settings, &keys);
    Ok((keys, store.under(terms)))
}

fn postgres_at(settings: &Settings, url: &Secret) -> Result<PostgresStore, StartError> {
    let nobodys = Keyring::ephemeral().map_err(SharedKeyError::from)?;
    let authorities = settings.store_ca.as_deref().map(certificates).transpose()?;
    let terms = AppState::terms(settings, &nobodys);
    Ok(PostgresStore::at(url.expose(), authorities.as_deref(), terms)?)
}

/// Another such store.
async fn redis(settings: &Settings, url: &Secret) -> Result<(Keyring, RedisStore), StartError> {
    let store = redis_at(settings, url)?;
    let (keys, fresh) = shared_keys::open(&store, seal(settings)?).await?;
    let made = if fresh { "made" } else { "found" };
    tracing::info!("keys {made}, and sessions, in Redis at {}", store.address());
    for warning in store.config_warnings().await? {
        tracing::warn!("Redis at {}: {warning}", store.address());
    }
    let terms = AppState::terms(settings, &keys);
    Ok((keys, store.under(terms)))
}

/// Good for asking what the keys are, and no more before those are known.
fn redis_at(settings: &Settings, url: &Secret) -> Result<RedisStore, StartError> {
    let placeholder = Keyring::ephemeral().map_err(SharedKeyError::from)?;
    let terms = AppState::terms(settings, &placeholder);
    Ok(match &settings.store_ca {
        Some(file) => RedisStore::trusting(url.expose(), &certificates(file)?, terms)?,
        None => RedisStore::at(url.expose(), terms)?,
    })
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

/// What a server does beside answering, for as long as it runs: it forgets old sessions, writes the
/// audit log, and looks after the keys. When it is dropped, all of that ends.
pub async fn upkeep(state: AppState) {
    let sweeping: Loop = Box::pin(sweep_hourly(state.clone()));
    side_by_side([sweeping, Box::pin(keep_audit(state.clone())), Box::pin(keep_keys(state))]).await;
}

/// Each is a task of its own: one that panics is told of, and does not take the others along.
async fn side_by_side<const N: usize>(loops: [Loop; N]) {
    let mut tasks: JoinSet<()> = loops.into_iter().collect();
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a part of the upkeep has failed; start the server again");
        }
    }
}

type Loop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Looks each second whether a command has changed the keys, and each hour whether a new one is
/// due.
async fn keep_keys(state: AppState) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    let mut seen = None;
    for tick in 0_u64.. {
        ticks.tick().await;
        let changed = match state.issuer.keys.reload() {
            Ok(false) => shared_keys::look(&state, &mut seen).await,
            read => read.map_err(SharedKeyError::from),
        };
        match changed {
            Ok(false) => {}
            Ok(true) => tracing::info!("the keys were changed and have been read again"),
            // A request that needs the store meanwhile hears that it is gone.
            Err(SharedKeyError::Store(_)) => {}
            Err(error) => tracing::error!(%error, "the changed keys cannot be used"),
        }
        let every = state.settings.rotate_keys.filter(|_| tick % 3_600 == 0);
        let Some(every) = every else { continue };
        let at = seconds(state.clock.now());
        let longest = longest_life(&state.settings);
        match shared_keys::change(&state, |keys| keys.rotate_when_due(at, every, longest)).await {
            Ok(false) => {}
            Ok(true) => tracing::info!("a new signing key is published and takes over soon"),
            Err(error) => tracing::error!(%error, "the keys could not be rotated"),
        }
    }
}

/// Forgets, each hour, the sessions that ended more than a day and an access token's life ago.
async fn sweep_hourly(state: AppState) {
    let mut hours = tokio::time::interval(Duration::from_secs(3_600));
    loop {
        hours.tick().await;
        let kept = state.settings.policy.longest_access().max(86_400).saturating_mul(1_000);
        match state.store.sweep(state.clock.now().saturating_sub(kept)).await {
            Ok(0) => {}
            Ok(swept) => tracing::info!(swept, "old sessions forgotten"),
            Err(error) => tracing::error!(%error, "old sessions could not be forgotten"),
        }
    }
}

/// Writes the audit log down as it grows, several times a second.
async fn keep_audit(state: AppState) {
    let mut ticks = tokio::time::interval(Duration::from_millis(250));
    loop {
        ticks.tick().await;
        write_audit(&state).await;
    }
}

/// Writes down what waits for the audit log; [`upkeep`] does so all the time, and at the end it is to
/// be done once more. What cannot be written waits for the next time.
pub async fn write_audit(state: &AppState) {
    let kept = state.settings.audit_keep.map(|seconds| seconds.saturating_mul(1_000));
    let forget = kept.map_or(0, |kept| state.clock.now().saturating_sub(kept));
    if let Err(error) = state.audit.write(&*state.store, forget).await {
        tracing::error!(%error, "the audit log could not be written");
    }
}

/// A user with a fresh id, not yet stored.
pub async fn new_user(
    passwords: &Passwords,
    username: &str,
    password: Secret,
    now: Millis,
) -> Result<User, StartError> {
    Ok(User {
        id: format!("u_{}", URL_SAFE_NO_PAD.encode(random::<12>()?)),
        username: username.to_owned(),
        password: passwords.hash(password, None).await?,
        version: 1,
        disabled: false,
        reauth: false,
        name: username.to_owned(),
        phone: None,
        is_manager: false,
        created_at: now,
    })
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
    /// The operating system gives no randomness.
    #[error("no randomness: {0}")]
    Random(#[from] getrandom::Error),
    /// The data folder.
    #[error("the data folder {0}: {1}; give another one with --data")]
    Data(PathBuf, io::Error),
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_part_that_fails_leaves_the_others_running() {
        let (done, told) = oneshot::channel();
        let failing: Loop = Box::pin(async { unreachable!("as the test wants") });
        side_by_side([failing, Box::pin(async { done.send(()).unwrap() })]).await;
        assert_eq!(told.await, Ok(()));
    }

    #[tokio::test]
    async fn all_parts_end_with_the_whole() {
        let (begun, began) = oneshot::channel();
        let (alive, ended) = oneshot::channel::<()>();
        let endless: Loop = Box::pin(async move {
            let _alive = alive;
            begun.send(()).unwrap();
            pending().await
        });
        let whole = tokio::spawn(side_by_side([endless]));
        assert_eq!(began.await, Ok(()));
        whole.abort();
        assert!(ended.await.is_err(), "it was dropped");
    }
}
