//! Passwords: Argon2id, a few at a time, off the threads that serve requests.

mod failures;
mod queue;

use std::net::IpAddr;
use std::sync::Arc;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::task::spawn_blocking;

use self::queue::{Full, Permit, Queue};
use crate::rotation::Millis;
use crate::secret::{Secret, random};

/// Hashes and checks passwords, so few at a time that refreshes never wait for sign-ins. Addresses
/// take turns, those with wrong passwords lately behind the others, and those that ask for too much
/// at once are refused.
#[derive(Clone, Debug)]
pub struct Passwords {
    hasher: Argon2<'static>,
    queue: Arc<Queue>,
    nobody: Secret,
}

impl Passwords {
    /// With 19 MiB and two passes each, which is what OWASP asks for.
    pub fn new() -> Result<Self, PasswordError> {
        Self::with_cost(19 * 1_024, 2)
    }

    /// With other costs; low ones are for tests.
    pub fn with_cost(kibibytes: u32, passes: u32) -> Result<Self, PasswordError> {
        let params = Params::new(kibibytes, passes, 1, None).map_err(failed)?;
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        // Nobody has it, and no time is spent on finding out what it would be hashed from.
        let nobody = written(&hasher, &random().map_err(failed)?, &[0; OUTPUT])?;
        Ok(Self { hasher, queue: Arc::new(Queue::new()), nobody })
    }

    /// The text to store for a password.
    pub async fn hash(&self, password: Secret, caller: Caller) -> Result<Secret, PasswordError> {
        let hasher = self.hasher.clone();
        let work = move |permit: &mut Permit| {
            let (salt, mut output) = (random::<16>().map_err(failed)?, [0; OUTPUT]);
            fill(&hasher, &password, &salt, &mut output, permit)?;
            written(&hasher, &salt, &output)
        };
        self.permitted(caller, work).await?
    }

    /// Whether the password is the stored one. Without a stored one it takes as long to say no.
    /// A wrong one is remembered of the caller for a while.
    pub async fn check(
        &self,
        password: Secret,
        stored: Option<Secret>,
        caller: Caller,
    ) -> Result<bool, PasswordError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        let queue = Arc::clone(&self.queue);
        let work = move |permit: &mut Permit| {
            let right = same(&password, &stored, permit) && known;
            // Before the permit goes to the next one, who it is may depend on this.
            if !right {
                queue.count_failure(caller.party);
            }
            right
        };
        self.permitted(caller, work).await
    }

    /// The permit goes with the work: it is free again when that is over, and not when its client
    /// stops waiting.
    async fn permitted<T: Send + 'static>(
        &self,
        caller: Caller,
        work: impl FnOnce(&mut Permit) -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let mut permit = self.queue.enter(caller).await.map_err(|Full| PasswordError::Full)?;
        spawn_blocking(move || work(&mut permit)).await.map_err(failed)
    }
}

/// For whom a password is hashed or checked, which decides whose turn it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Caller {
    /// The address that counts, as far as it is known; without one all are the same.
    pub party: Option<IpAddr>,
    /// Milliseconds since 1970, by the server's clock.
    pub now: Millis,
}

type Party = Option<IpAddr>;

/// The hash could not be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many wait already; it can be tried again.
    #[error("too many passwords are waiting to be checked")]
    Full,
    /// A failure of ours.
    #[error("the password hash could not be computed")]
    Failed,
}

fn same(password: &Secret, stored: &Secret, permit: &mut Permit) -> bool {
    let Some((hasher, salt, expected)) = read(stored) else { return false };
    let mut output = [0; Output::MAX_LENGTH];
    let Some(output) = output.get_mut(..expected.len()) else { return false };
    let filled = fill(&hasher, password, &salt, output, permit);
    // Compared in constant time.
    filled.is_ok() && Output::new(output).is_ok_and(|output| output == expected)
}

/// How a stored password was hashed, its salt, and what came out.
fn read(stored: &Secret) -> Option<(Argon2<'static>, Salt, Output)> {
    let stored = PasswordHash::new(stored.expose()).ok()?;
    let algorithm = Algorithm::try_from(stored.algorithm.as_str()).ok()?;
    let version = stored.version.map_or_else(|| Ok(Version::default()), Version::try_from).ok()?;
    let params = Params::try_from(&stored).ok()?;
    Some((Argon2::new(algorithm, version, params), stored.salt?, stored.hash?))
}

fn fill(
    hasher: &Argon2<'_>,
    password: &Secret,
    salt: &[u8],
    output: &mut [u8],
    permit: &mut Permit,
) -> Result<(), PasswordError> {
    let blocks = permit.blocks(hasher.params().block_count());
    let password = password.expose().as_bytes();
    hasher.hash_password_into_with_memory(password, salt, output, blocks).map_err(failed)
}

/// In the text form of PHC, which names the cost.
fn written(
    hasher: &Argon2<'_>,
    salt: &[u8; 16],
    output: &[u8; OUTPUT],
) -> Result<Secret, PasswordError> {
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(hasher.params()).map_err(failed)?,
        salt: Some(Salt::new(salt).map_err(failed)?),
        hash: Some(Output::new(output).map_err(failed)?),
    };
    Ok(hash.to_string().into())
}

fn failed<E>(_: E) -> PasswordError {
    PasswordError::Failed
}

/// The length of a hash.
const OUTPUT: usize = 32;

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use axum::body::Body;
    use http::Request;
    use tower::ServiceExt as _;

    use super::queue::{ALL, AT_ONCE, EACH};
    use super::*;
    use crate::clock::Clock;
    use crate::config::Settings;
    use crate::jwt::Keyring;
    use crate::rotation::{RefreshToken, SessionFamily, SessionId};
    use crate::store::MemoryStore;
    use crate::{AppState, accounts};

    #[tokio::test]
    async fn a_password_is_right_or_wrong() {
        let passwords = Passwords::with_cost(8, 1).unwrap();
        let stored = passwords.hash("secret".into(), Caller::default()).await.unwrap();
        let check = async |password: &str, stored: Option<&str>| {
            passwords
                .check(password.into(), stored.map(Secret::from), Caller::default())
                .await
                .unwrap()
        };
        assert!(check("secret", Some(stored.expose())).await);
        assert!(!check("Secret", Some(stored.expose())).await);
        assert!(!check("secret", None).await && !check("", None).await);
        assert!(!check("secret", Some("!")).await);
    }

    /// What the crate's own functions make and check, which need memory of their own each time.
    #[tokio::test]
    async fn hashes_are_those_of_the_crate() {
        use argon2::{PasswordHasher as _, PasswordVerifier as _};

        let passwords = Passwords::with_cost(64, 3).unwrap();
        for (cost, passes) in [(8, 1), (128, 2), (64, 3)] {
            let params = Params::new(cost, passes, 1, None).unwrap();
            let crates = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let stored = crates.hash_password(b"secret").unwrap().to_string();
            let right = passwords
                .check("secret".into(), Some(stored.as_str().into()), Caller::default())
                .await;
            assert_eq!(right, Ok(true), "with {cost} KiB");
        }
        let ours = passwords.hash("secret".into(), Caller::default()).await.unwrap();
        assert!(passwords.hasher.verify_password(b"secret", ours.expose()).is_ok());
    }

    #[tokio::test]
    async fn who_stops_waiting_frees_nothing_before_the_work_is_over() {
        let passwords = Passwords::with_cost(8, 1).unwrap();
        let (finish, finished) = mpsc::channel::<()>();
        let (began, begun) = tokio::sync::oneshot::channel();
        let hashing = tokio::spawn({
            let passwords = passwords.clone();
            async move {
                let work = move |_: &mut Permit| {
                    began.send(()).unwrap();
                    finished.recv().unwrap();
                };
                passwords.permitted(Caller::default(), work).await
            }
        });
        begun.await.unwrap();
        hashing.abort();
        assert!(hashing.await.unwrap_err().is_cancelled());
        let other = passwords.queue.enter(Caller::default()).await.unwrap();
        let third = tokio::spawn({
            let queue = Arc::clone(&passwords.queue);
            async move { queue.enter(Caller::default()).await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert!(!third.is_finished(), "both permits are in use");
        finish.send(()).unwrap();
        assert_eq!(third.await.unwrap(), Ok(()));
        drop(other);
    }

    #[tokio::test]
    async fn wrong_passwords_put_an_address_behind_the_others() {
        let passwords = Passwords::with_cost(8, 1).unwrap();
        let from = |text: &str| Caller { party: text.parse().ok(), now: 1_000 };
        for number in 0..ALL {
            let guesser = from(&format!("192.0.2.{number}"));
            assert_eq!(passwords.check("guess".into(), None, guesser).await, Ok(false));
        }
        let mut held = Vec::new();
        for _ in 0..AT_ONCE {
            held.push(passwords.queue.enter(Caller::default()).await.unwrap());
        }
        let served = Arc::new(Mutex::new(Vec::new()));
        let wait = |name: String| {
            let (passwords, served) = (passwords.clone(), Arc::clone(&served));
            tokio::spawn(async move {
                let caller = from(&name);
                let work = move |_: &mut Permit| served.lock().unwrap().push(name);
                passwords.permitted(caller, work).await
            })
        };
        let guesses: Vec<_> = (0..ALL).map(|n| wait(format!("192.0.2.{n}"))).collect();
        tokio::task::yield_now().await;
        let honest = wait("203.0.113.7".to_owned());
        tokio::task::yield_now().await;
        held.pop();
        assert_eq!(honest.await.unwrap(), Ok(()));
        let mut refused = 0;
        for guess in guesses {
            refused += usize::from(guess.await.unwrap() == Err(PasswordError::Full));
        }
        let served = served.lock().unwrap();
        assert_eq!((served[0].as_str(), served.len(), refused), ("203.0.113.7", ALL, 1));
    }

    #[tokio::test]
    async fn sign_ins_that_wait_hold_up_no_refresh_and_too_many_are_told_to_come_again() {
        let settings = Settings { limits: false, ..Settings::default() };
        let keys = Keyring::ephemeral().unwrap();
        let store = Arc::new(MemoryStore::new(AppState::terms(&settings, &keys)));
        let passwords = Passwords::with_cost(8, 1).unwrap();
        let state = AppState::new(settings, Clock::frozen_at(0), store, keys, passwords);
        let ann = accounts::new_user(&state.passwords, "ann", "secret".into(), 0).await.unwrap();
        state.store.add_user(ann.clone()).await.unwrap();
        let token = RefreshToken::first(SessionId([1; 16]), 0, [1; 32]);
        state.store.open(SessionFamily::opened(&token, ann.id, "web".to_owned())).await.unwrap();
        let app = crate::app(state.clone());
        let send = |path: &str, kind: &str, body: String| {
            let request = Request::post(path).header("content-type", format!("application/{kind}"));
            app.clone().oneshot(request.body(Body::from(body)).unwrap())
        };
        let sign_in = || {
            let body = r#"{"username":"ann","password":"secret"}"#.to_owned();
            tokio::spawn(send("/auth/login", "json", body))
        };

        let mut taken = Vec::new();
        for _ in 0..AT_ONCE {
            taken.push(state.passwords.queue.enter(Caller::default()).await.unwrap());
        }
        let waiting: Vec<_> = (0..EACH).map(|_| sign_in()).collect();
        let mut text = token.encode(&state.pepper);
        for number in 0..50 {
            let form = format!(
                "grant_type=refresh_token&refresh_token={text}&rotation_key=rotation-key-{number:04}"
            );
            let answer = send("/oauth/token", "x-www-form-urlencoded", form).await.unwrap();
            assert_eq!(answer.status(), 200);
            let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            text = body["refresh_token"].as_str().unwrap().to_owned();
        }
        let refused = sign_in().await.unwrap().unwrap();
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["retry-after"]),
            (503, &"1".parse().unwrap())
        );
        assert!(waiting.iter().all(|sign_in| !sign_in.is_finished()), "they wait");
        drop(taken);
        for sign_in in waiting {
            assert_eq!(sign_in.await.unwrap().unwrap().status(), 200);
        }
    }
}
