use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use everfresh_server::config::{Layer, Settings, StoreKind};
use everfresh_server::jwt::Keyring;
use everfresh_server::password::Passwords;
use everfresh_server::rotation::{RefreshToken, SessionFamily, SessionId};
use everfresh_server::secret::random;
use everfresh_server::store::{PostgresStore, RedisStore, SqliteStore, Store};
use everfresh_server::{AppState, accounts, bootstrap, clock::Clock, shared_keys};
use tokio::task::JoinSet;

use crate::client::{Connection, text};

/// A full store, and the refresh tokens of its sessions.
pub(crate) struct Filled {
    pub(crate) tokens: Vec<String>,
}

impl Filled {
    /// Writes the sessions straight into the store: as many sign-ins would take an hour.
    pub(crate) async fn make(data: &Path, store: Option<&str>, sessions: u32) -> Result<Self> {
        let layer =
            Layer { data: Some(data.into()), store: store.map(Into::into), ..Layer::default() };
        let settings = Settings::resolve(layer)?;
        let (keys, store) = opened(&settings).await?;
        let now = Clock::system().now();
        let user = accounts::new_user(&Passwords::new()?, "ann", "secret".into(), now).await?;
        ensure!(store.add_user(user.clone()).await?);

        let (pepper, mut tokens) = (keys.pepper(), Vec::new());
        let mut writing = JoinSet::new();
        for _ in 0..sessions {
            let token = RefreshToken::first(SessionId(random()?), now, random()?);
            let mut row = SessionFamily::opened(&token, user.id.clone(), "default".to_owned());
            row.idle_expires_at = Some(now + 48 * 3_600_000);
            row.absolute_expires_at = Some(now + 30 * 86_400_000);
            tokens.push(token.encode(&pepper));
            let store = Arc::clone(&store);
            writing.spawn(async move { store.open(row).await });
            if writing.len() == AT_ONCE
                && let Some(written) = writing.join_next().await
            {
                written??;
            }
        }
        while let Some(written) = writing.join_next().await {
            written??;
        }
        Ok(Self { tokens })
    }

    /// An access token of a session of its own.
    pub(crate) async fn sign_in(&self, address: &str) -> Result<String> {
        let signed_in = sign_in(&mut Connection::open(address).await?).await?;
        text(&signed_in, "access_token")
    }
}

/// What the server answers to it.
pub(crate) async fn sign_in(connection: &mut Connection) -> Result<Vec<u8>> {
    let head = "POST /auth/login HTTP/1.1\r\ncontent-type: application/json\r\n";
    let body = r#"{"username":"ann","password":"secret"}"#;
    connection.exchange(head, body).await
}

async fn opened(settings: &Settings) -> Result<(Keyring, Arc<dyn Store>)> {
    let nobodys = AppState::terms(settings, &Keyring::ephemeral()?);
    Ok(match &settings.store {
        StoreKind::Memory => anyhow::bail!("what is in memory is not shared with the server"),
        StoreKind::Sqlite(file) => {
            let (keys, _, _) = bootstrap::keys(settings)?;
            let store = SqliteStore::open(file, AppState::terms(settings, &keys))?;
            (keys, Arc::new(store))
        }
        StoreKind::Postgres(url) => {
            // A crash in the middle of the filling loses nothing that matters.
            let url = format!("{}?options=-c%20synchronous_commit%3Doff", url.expose());
            let store = PostgresStore::open(&url, None, nobodys).await?;
            (shared_keys::open(&store, None).await?.0, Arc::new(store))
        }
        StoreKind::Redis(url) => {
            let store = RedisStore::at(url.expose(), nobodys)?;
            (shared_keys::open(&store, None).await?.0, Arc::new(store))
        }
    })
}

/// A pool of connections has places for so many steps to wait.
const AT_ONCE: usize = 64;
