use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use everfresh_server::config::{Layer, Settings, StoreKind};
use everfresh_server::password::Passwords;
use everfresh_server::rotation::{RefreshToken, Row, SessionId};
use everfresh_server::secret::random;
use everfresh_server::store::{SqliteStore, Store};
use everfresh_server::{AppState, clock::Clock, start};

use crate::client::{Connection, text};

/// A data folder whose store is full, and the refresh tokens of its sessions.
pub(crate) struct Filled {
    pub(crate) tokens: Vec<String>,
}

impl Filled {
    /// Writes the sessions straight into the store: as many sign-ins would take an hour.
    pub(crate) async fn make(data: &Path, sessions: u32) -> Result<Self> {
        let settings = Settings::resolve(Layer { data: Some(data.into()), ..Layer::default() })?;
        let (keys, _, _) = start::keys(&settings)?;
        let StoreKind::Sqlite(file) = &settings.store else { anyhow::bail!("not on SQLite") };
        let store = Arc::new(SqliteStore::open(file, AppState::terms(&settings, &keys))?);
        let now = Clock::system().now();
        let user = start::new_user(&Passwords::new()?, "ann", "secret".into(), now).await?;
        ensure!(store.add_user(user.clone()).await?);

        let (pepper, mut tokens) = (keys.pepper(), Vec::new());
        let mut writing = Vec::new();
        for _ in 0..sessions {
            let token = RefreshToken::first(SessionId(random()?), now, random()?);
            let mut row = Row::opened(&token, user.id.clone(), "default".to_owned());
            row.idle_expires_at = Some(now + 48 * 3_600_000);
            row.absolute_expires_at = Some(now + 30 * 86_400_000);
            tokens.push(token.encode(&pepper));
            let store = Arc::clone(&store);
            writing.push(tokio::spawn(async move { store.open(row).await }));
        }
        for write in writing {
            write.await??;
        }
        Ok(Self { tokens })
    }

    /// An access token of a session of its own.
    pub(crate) async fn sign_in(&self, address: &str) -> Result<String> {
        let head = "POST /auth/login HTTP/1.1\r\ncontent-type: application/json\r\n";
        let body = r#"{"username":"ann","password":"secret"}"#;
        text(&Connection::open(address).await?.exchange(head, body).await?, "access_token")
    }
}
