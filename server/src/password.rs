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

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use axum::body::Body;
    use http::Request;
    use tower::ServiceExt as _;

    use super::*;
    use crate::clock::Clock;
    use crate::config::Settings;
    use crate::jwt::Keyring;
    use crate::rotation::{RefreshToken, Row, SessionId};
    use crate::store::MemoryStore;
    use crate::{AppState, start};

    #[tokio::test]
    async fn sign_ins_that_wait_for_a_seat_do_not_hold_up_refreshes() {
        let settings = Settings { limits: false, ..Settings::default() };
        let keys = Keyring::ephemeral().unwrap();
        let store = Arc::new(MemoryStore::new(AppState::terms(&settings, &keys)));
        let passwords = Passwords::with_cost(8, 1).unwrap();
        let state = AppState::new(settings, Clock::frozen_at(0), store, keys, passwords);
        let ann = start::new_user(&state.passwords, "ann", "secret".into(), 0).await.unwrap();
        state.store.add_user(ann.clone()).await.unwrap();
        let token = RefreshToken::first(SessionId([1; 16]), 0, [1; 32]);
        state.store.open(Row::opened(&token, ann.id, "web".to_owned())).await.unwrap();
        let app = crate::app(state.clone());
        let send = |path: &str, kind: &str, body: String| {
            let request = Request::post(path).header("content-type", format!("application/{kind}"));
            app.clone().oneshot(request.body(Body::from(body)).unwrap())
        };

        let taken = state.passwords.seats.clone().acquire_many_owned(SEATS as u32).await.unwrap();
        let sign_ins: Vec<_> = (0..50)
            .map(|_| {
                let body = r#"{"username":"ann","password":"secret"}"#.to_owned();
                Box::pin(send("/auth/login", "json", body))
            })
            .collect();
        let mut waiting = Vec::new();
        for mut sign_in in sign_ins {
            let mut context = Context::from_waker(Waker::noop());
            assert!(pin!(sign_in.as_mut()).poll(&mut context).is_pending());
            waiting.push(sign_in);
        }
        let mut text = token.encode(&state.pepper);
        for number in 0..50 {
            let form = format!(
                "grant_type=refresh_token&refresh_token={text}&rotation_key=rotation-key-{number:04}"
            );
            let mut refresh = pin!(send("/oauth/token", "x-www-form-urlencoded", form));
            let mut context = Context::from_waker(Waker::noop());
            let Poll::Ready(Ok(answer)) = refresh.as_mut().poll(&mut context) else {
                panic!("refresh {number} waits for sign-ins")
            };
            assert_eq!(answer.status(), 200);
            let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            text = body["refresh_token"].as_str().unwrap().to_owned();
        }
        drop(taken);
        for sign_in in waiting {
            assert_eq!(sign_in.await.unwrap().status(), 200);
        }
    }
}
