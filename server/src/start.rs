//! From settings to a server that is ready.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Clock;
use crate::config::{Settings, StoreKind};
use crate::jwt::{KeyError, Keyring};
use crate::password::{PasswordError, Passwords};
use crate::rotation::Millis;
use crate::secret::{Secret, random};
use crate::state::AppState;
use crate::store::{MemoryStore, Store, StoreError, User};

/// Opens keys and store, making them on the first start, and adds the users of the settings.
pub async fn open(settings: Settings) -> Result<AppState, StartError> {
    let (keys, store): (Keyring, Arc<dyn Store>) = match &settings.store {
        StoreKind::Memory => {
            let keys = Keyring::ephemeral()?;
            let store = MemoryStore::new(AppState::terms(&settings, &keys));
            tracing::info!("keys, users and sessions are in memory and end with the process");
            (keys, Arc::new(store))
        }
        StoreKind::Sqlite(path) => {
            let error = io::Error::other("no SQLite yet: use --store memory:");
            return Err(StartError::Data(path.display().to_string(), error));
        }
    };
    let passwords = Passwords::new()?;
    let state = AppState::new(settings, Clock::system(), store, keys, passwords);
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
        password: passwords.hash(password).await?,
        version: 1,
        disabled: false,
        reauth: false,
        name: username.to_owned(),
        phone: None,
        is_manager: false,
        created_at: now,
    })
}

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The keys.
    #[error("the signing keys: {0}")]
    Keys(#[from] KeyError),
    /// The store.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// Argon2.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The operating system gives no randomness.
    #[error("no randomness: {0}")]
    Random(#[from] getrandom::Error),
    /// The data folder.
    #[error("the data folder {0}: {1}; give another one with --data")]
    Data(String, io::Error),
}
