use std::path::Path;
use std::sync::{PoisonError, RwLock};
use std::{fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Seconds;
use crate::rotation::Pepper;
use crate::secret::{Secret, random};

/// The keys that sign access tokens, and the pepper of refresh tokens.
///
/// A new key is published at once, signs once every verifier must have seen it, and the one before
/// it stays published until nothing signed with it can still be valid.
#[derive(Debug)]
pub struct Keyring {
    keys: RwLock<Vec<Key>>,
    pepper: Secret,
    file: Option<std::path::PathBuf>,
}

impl Keyring {
    /// How long verifiers may keep the published keys.
    pub const MAX_AGE: Seconds = 300;

    /// Fresh keys that live as long as the process.
    pub fn ephemeral() -> Result<Self, KeyError> {
        let pepper = URL_SAFE_NO_PAD.encode(random::<32>()?).into();
        Ok(Self { keys: RwLock::new(vec![Key::fresh(0)?]), pepper, file: None })
    }

    /// The keys in a file, which is made if need be; the second says whether it was.
    pub fn open(file: &Path) -> Result<(Self, bool), KeyError> {
        let (ring, fresh) = match fs::read(file) {
            Ok(text) => (Self::read(&text)?, false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (Self::ephemeral()?, true),
            Err(error) => return Err(error.into()),
        };
        let ring = Self { file: Some(file.to_owned()), ..ring };
        if fresh {
            ring.save()?;
        }
        Ok((ring, fresh))
    }

    /// Adds a key that takes over: once the published keys have had time to spread, or now.
    pub fn rotate(&self, at: Seconds, now: bool, longest_life: Seconds) -> Result<(), KeyError> {
        let signs_from = if now { at } else { at.saturating_add(Self::MAX_AGE) };
        let fresh = Key::fresh(signs_from)?;
        {
            let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
            keys.retain(|key| key.published(at));
            for key in keys.iter_mut().filter(|key| key.retires_at.is_none()) {
                key.retires_at = Some(signs_from.saturating_add(longest_life));
            }
            keys.push(fresh);
        }
        self.save()
    }

    /// The public keys, as verifiers read them.
    #[must_use]
    pub fn jwks(&self, at: Seconds) -> Value {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let published = keys.iter().filter(|key| key.published(at));
        let keys: Vec<Value> = published.map(|key| key.public.clone()).collect();
        json!({ "keys": keys })
    }

    /// The pepper of refresh tokens.
    #[must_use]
    pub fn pepper(&self) -> Pepper {
        let mut key = [0; 32];
        // Its length was checked when it was read.
        let _ = URL_SAFE_NO_PAD.decode_slice(self.pepper.expose(), &mut key);
        Pepper::new(1, key)
    }

    /// Hashes ids for the audit log; who has it can tell whose entries are whose.
    pub(crate) fn audit_salt(&self) -> [u8; 32] {
        Sha256::new()
            .chain_update(b"audit log of everfresh-server\0")
            .chain_update(self.pepper.expose())
            .finalize()
            .into()
    }

    pub(super) fn signing(&self, at: Seconds) -> Option<(String, SigningKey)> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.iter().rev().find(|key| key.signs_from <= at).or_else(|| keys.first())?;
        Some((key.kid.clone(), key.signing.clone()))
    }

    pub(super) fn verifying(&self, kid: &str, at: Seconds) -> Option<VerifyingKey> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.iter().find(|key| key.kid == kid && key.published(at))?;
        Some(key.signing.verifying_key())
    }

    fn read(text: &[u8]) -> Result<Self, KeyError> {
        let stored: Stored = serde_json::from_slice(text).map_err(|_| KeyError::Unreadable)?;
        let keys: Result<Vec<Key>, KeyError> =
            stored.keys.into_iter().map(Key::from_stored).collect();
        let keys = keys?;
        let pepper = URL_SAFE_NO_PAD.decode(&stored.pepper).map_err(|_| KeyError::Unreadable)?;
        if keys.is_empty() || pepper.len() != 32 {
            return Err(KeyError::Unreadable);
        }
        Ok(Self { keys: RwLock::new(keys), pepper: stored.pepper.into(), file: None })
    }

    fn save(&self) -> Result<(), KeyError> {
        let Some(file) = &self.file else { return Ok(()) };
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let stored = Stored {
            pepper: self.pepper.expose().to_owned(),
            keys: keys.iter().map(Key::to_stored).collect(),
        };
        let text = serde_json::to_vec_pretty(&stored).map_err(|_| KeyError::Unreadable)?;
        let beside = file.with_extension("new");
        write_private(&beside, &text)?;
        Ok(fs::rename(beside, file)?)
    }
}

/// The keys could not be made, read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file is not one of ours.
    #[error(
        "not a key file of this server; restore it from a backup, or move it away to start \
             afresh, which signs everybody out"
    )]
    Unreadable,
    /// The operating system gives no randomness.
    #[error("no randomness: {0}")]
    Random(#[from] getrandom::Error),
}

struct Key {
    kid: String,
    signing: SigningKey,
    public: Value,
    signs_from: Seconds,
    retires_at: Option<Seconds>,
}

impl Key {
    fn fresh(signs_from: Seconds) -> Result<Self, KeyError> {
        let seed = URL_SAFE_NO_PAD.encode(random::<32>()?);
        Self::from_stored(StoredKey { seed, signs_from, retires_at: None })
    }

    fn from_stored(stored: StoredKey) -> Result<Self, KeyError> {
        let seed = URL_SAFE_NO_PAD.decode(&stored.seed).map_err(|_| KeyError::Unreadable)?;
        let seed = seed.try_into().map_err(|_| KeyError::Unreadable)?;
        let signing = SigningKey::from_bytes(&seed);
        let x = URL_SAFE_NO_PAD.encode(signing.verifying_key().as_bytes());
        let kid = thumbprint(&x);
        let public = json!({
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x,
        });
        let StoredKey { signs_from, retires_at, .. } = stored;
        Ok(Self { kid, signing, public, signs_from, retires_at })
    }

    fn to_stored(&self) -> StoredKey {
        StoredKey {
            seed: URL_SAFE_NO_PAD.encode(self.signing.as_bytes()),
            signs_from: self.signs_from,
            retires_at: self.retires_at,
        }
    }

    fn published(&self, at: Seconds) -> bool {
        self.retires_at.is_none_or(|retires| at < retires)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    pepper: String,
    keys: Vec<StoredKey>,
}

#[derive(Serialize, Deserialize)]
struct StoredKey {
    seed: String,
    signs_from: Seconds,
    retires_at: Option<Seconds>,
}

fn write_private(file: &Path, text: &[u8]) -> io::Result<()> {
    use std::io::Write as _;

    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(file)?;
    file.write_all(text)?;
    file.sync_all()
}

/// The name of a key that follows from the key itself, after RFC 7638.
fn thumbprint(x: &str) -> String {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(members))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_a_key_as_rfc_8037_does() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert_eq!(thumbprint(x), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn publishes_first_signs_later_and_retires_last() {
        let ring = Keyring::ephemeral().unwrap();
        let published = |at| ring.jwks(at)["keys"].as_array().unwrap().len();
        let (old, _) = ring.signing(1_000).unwrap();
        ring.rotate(1_000, false, 300).unwrap();
        assert_eq!(published(1_000), 2);
        assert_eq!(ring.signing(1_299).unwrap().0, old);
        let (new, _) = ring.signing(1_300).unwrap();
        assert_ne!(new, old);
        assert!(ring.verifying(&old, 1_599).is_some() && ring.verifying(&old, 1_600).is_none());
        assert_eq!(published(1_600), 1);
        ring.rotate(2_000, true, 300).unwrap();
        assert_ne!(ring.signing(2_000).unwrap().0, new);
    }
}
