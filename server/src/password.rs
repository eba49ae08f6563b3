//! Passwords: Argon2id, a few at a time, off the threads that serve requests.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::secret::Secret;

/// Hashes and checks passwords, so few at a time that refreshes never wait for sign-ins.
#[derive(Clone, Debug)]
pub struct Passwords {
    hasher: Argon2<'static>,
    seats: Arc<Semaphore>,
    nobody: Secret,
}

impl Passwords {
    /// With 19 MiB and two passes each, which is what OWASP asks for.
    pub fn new() -> Result<Self, PasswordError> {
        Self::with_cost(19 * 1_024, 2)
    }

    /// With other costs; low ones are for tests.
    pub fn with_cost(kibibytes: u32, passes: u32) -> Result<Self, PasswordError> {
        let params = Params::new(kibibytes, passes, 1, None).map_err(|_| PasswordError)?;
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = hash(&hasher, "the password of nobody")?;
        Ok(Self { hasher, seats: Arc::new(Semaphore::new(SEATS)), nobody })
    }

    /// The text to store for a password.
    pub async fn hash(&self, password: Secret) -> Result<Secret, PasswordError> {
        let hasher = self.hasher.clone();
        self.seated(move || hash(&hasher, password.expose())).await?
    }

    /// Whether the password is the stored one. Without a stored one it takes as long to say no.
    pub async fn check(
        &self,
        password: Secret,
        stored: Option<Secret>,
    ) -> Result<bool, PasswordError> {
        let hasher = self.hasher.clone();
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        let same = self
            .seated(move || {
                PasswordHash::new(stored.expose()).is_ok_and(|stored| {
                    hasher.verify_password(password.expose().as_bytes(), &stored).is_ok()
                })
            })
            .await?;
        Ok(same && known)
    }

    async fn seated<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _seat = self.seats.acquire().await.map_err(|_| PasswordError)?;
        spawn_blocking(work).await.map_err(|_| PasswordError)
    }
}

/// The hash could not be computed.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the password hash could not be computed")]
pub struct PasswordError;

fn hash(hasher: &Argon2<'_>, password: &str) -> Result<Secret, PasswordError> {
    let hashed = hasher.hash_password(password.as_bytes()).map_err(|_| PasswordError)?;
    Ok(hashed.to_string().into())
}

const SEATS: usize = 2;
