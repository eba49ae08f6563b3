//! Values that must not show up in a log.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// A text that prints nothing of itself and is wiped when dropped. Two can be compared, which
/// secrecy leaves to others: what is compared here are hashes, whole users, and settings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(SecretString);

impl Secret {
    /// The text itself, for the place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl<T: Into<SecretString>> From<T> for Secret {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

/// Fresh random bytes from the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_nothing_of_itself() {
        let secret = Secret::from("correct horse");
        assert!(!format!("{secret:?}").contains("horse"));
        assert_eq!(secret.expose(), "correct horse");
    }
}
