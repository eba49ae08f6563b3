//! What an operator does to users, by command, beside a server that runs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::extract::{LONGEST_NAME, LONGEST_PASSWORD, is_longer};
use crate::password::{Caller, PasswordError, Passwords};
use crate::rotation::{Millis, Revocation};
use crate::secret::{Secret, random};
use crate::state::AppState;
use crate::store::{Change, SessionSelector, StoreError, User};

/// What is to become of a user.
#[derive(Clone, Debug)]
pub enum AccountChange {
    /// No sign-in and no refresh, and the access tokens are worth nothing at once.
    Disable,
    /// All of that again.
    Enable,
    /// Another password; all sessions end.
    Password(Secret),
    /// A new version: all sessions are void.
    BumpVersion,
}

/// A user with a fresh id, not yet stored. Name and password are such that a sign-in takes them.
pub async fn new_user(
    passwords: &Passwords,
    username: &str,
    password: Secret,
    now: Millis,
) -> Result<User, AccountError> {
    if username.is_empty() || is_longer(username, LONGEST_NAME) {
        return Err(AccountError::Name);
    }
    Ok(User {
        id: format!("u_{}", URL_SAFE_NO_PAD.encode(random::<12>()?)),
        username: username.to_owned(),
        password: hashed(passwords, password).await?,
        version: 1,
        disabled: false,
        reauth: false,
        name: username.to_owned(),
        phone: None,
        is_manager: false,
        created_at: now,
    })
}

/// Adds a user.
pub async fn add(app: &AppState, name: &str, password: Secret) -> Result<User, AccountError> {
    let user = new_user(&app.passwords, name, password, app.clock.now()).await?;
    if app.store.add_user(user.clone()).await? {
        Ok(user)
    } else {
        Err(AccountError::Exists(name.to_owned()))
    }
}

/// Changes a user; answers with the user as it is then.
pub async fn change(
    app: &AppState,
    name: &str,
    change: AccountChange,
) -> Result<User, AccountError> {
    let unknown = || AccountError::Unknown(name.to_owned());
    let id = app.store.user_named(name.to_owned()).await?.ok_or_else(unknown)?.id;
    let (fields, ends) = match change {
        AccountChange::Disable => (Change { disabled: Some(true), ..Change::default() }, None),
        AccountChange::Enable => (Change { disabled: Some(false), ..Change::default() }, None),
        AccountChange::Password(password) => {
            let password = Some(hashed(&app.passwords, password).await?);
            (Change { password, ..Change::default() }, Some(Revocation::Password))
        }
        AccountChange::BumpVersion => {
            (Change { bump_version: true, ..Change::default() }, Some(Revocation::Version))
        }
    };
    let user = app.store.change_user(id.clone(), fields).await?.ok_or_else(unknown)?;
    // After the change, so that no session begins in between on what was there before.
    if let Some(why) = ends {
        app.store.end(SessionSelector::User(id, None), why).await?;
    }
    Ok(user)
}

async fn hashed(passwords: &Passwords, password: Secret) -> Result<Secret, AccountError> {
    let text = password.expose();
    if text.is_empty() || is_longer(text, LONGEST_PASSWORD) {
        return Err(AccountError::PasswordLength);
    }
    Ok(passwords.hash(password, Caller::default()).await?)
}

/// A user could not be added or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The name is taken.
    #[error("there is a user {0:?} already; `user password {0}` gives another password")]
    Exists(String),
    /// There is no such user.
    #[error("there is no user {0:?}; `user add {0}` adds one")]
    Unknown(String),
    /// No user could sign in under this name.
    #[error("a user name has 1 to 200 characters; give another one")]
    Name,
    /// No user could sign in with this password.
    #[error("a password has 1 to 1024 characters; give another one")]
    PasswordLength,
    /// The store.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// The operating system gives no randomness.
    #[error("no randomness: {0}")]
    Random(#[from] getrandom::Error),
    /// Argon2.
    #[error(transparent)]
    Password(#[from] PasswordError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_user_who_could_never_sign_in_is_not_added() {
        let passwords = Passwords::with_cost(8, 1).unwrap();
        let add = async |name: &str, password: &str| {
            let user = new_user(&passwords, name, password.into(), 0).await;
            user.map(|user| user.username).map_err(|error| error.to_string())
        };
        let long = |length| "\u{1F600}".repeat(length);
        assert_eq!(add(&long(200), &long(1_024)).await, Ok(long(200)));
        for name in [String::new(), long(201)] {
            assert!(add(&name, "secret").await.unwrap_err().contains("user name"), "{name}");
        }
        for password in [String::new(), long(1_025)] {
            assert!(add("ann", &password).await.unwrap_err().contains("password has"));
        }
    }
}
