use std::io;
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::key::{Key, StoredKey, expose};
use super::key_file::KeyFile;
use super::seal::unseal;
use super::{Algorithm, KeyError, Seal, Seconds, VerifyingKey};
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
    file: Option<KeyFile>,
    seal: Option<Seal>,
}

impl Keyring {
    /// How long verifiers may keep the published keys.
    pub const MAX_AGE: Seconds = 300;

    /// Fresh keys that live as long as the process.
    pub fn ephemeral() -> Result<Self, KeyError> {
        let pepper = URL_SAFE_NO_PAD.encode(random::<32>()?).into();
        let keys = RwLock::new(vec![Key::fresh(Algorithm::EdDsa, 0)?]);
        Ok(Self { keys, pepper, file: None, seal: None })
    }

    /// The keys in a file, which is made if need be; the second says whether it was.
    pub fn open(file: &Path) -> Result<(Self, bool), KeyError> {
        Self::open_sealed(file, None)
    }

    /// As [`Self::open`], with the file sealed. One that is not yet sealed is sealed now.
    pub fn open_sealed(file: &Path, seal: Option<Seal>) -> Result<(Self, bool), KeyError> {
        let file = KeyFile::at(file);
        let _guard = file.lock()?;
        let (ring, fresh, saved) = match file.read() {
            Ok(text) => {
                let (stored, sealed) = unseal(&text, seal.as_ref())?;
                (Self::read(&stored)?, false, sealed == seal.is_some())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                (Self::ephemeral()?, true, false)
            }
            Err(error) => return Err(error.into()),
        };
        let ring = Self { file: Some(file), seal, ..ring };
        if !saved {
            ring.save()?;
        }
        Ok((ring, fresh))
    }

    /// The keys in a file that must be there. Neither is it sealed now.
    pub fn existing(file: &Path, seal: Option<Seal>) -> Result<Self, KeyError> {
        let file = KeyFile::at(file);
        let (stored, _) = unseal(&file.read()?, seal.as_ref())?;
        Ok(Self { file: Some(file), seal, ..Self::read(&stored)? })
    }

    /// Keys that are kept somewhere else, as [`Self::to_bytes`] wrote them.
    pub fn from_bytes(text: &[u8], seal: Option<Seal>) -> Result<Self, KeyError> {
        let (text, _) = unseal(text, seal.as_ref())?;
        Ok(Self { seal, ..Self::read(&text)? })
    }

    /// All keys as a text to be kept, sealed if there is a seal.
    pub fn to_bytes(&self) -> Result<Vec<u8>, KeyError> {
        let stored = Stored {
            pepper: self.pepper.clone(),
            keys: self.keys().iter().map(Key::to_stored).collect(),
        };
        let text = serde_json::to_vec_pretty(&stored).map_err(|_| KeyError::Unreadable)?;
        match &self.seal {
            Some(seal) => seal.seal(text),
            None => Ok(text),
        }
    }

    /// Takes over keys that another process wrote.
    pub fn adopt(&self, text: &[u8]) -> Result<(), KeyError> {
        let (text, _) = unseal(text, self.seal.as_ref())?;
        let other = Self::read(&text)?;
        if other.pepper != self.pepper {
            return Err(KeyError::OtherPepper);
        }
        let keys = other.keys.into_inner().unwrap_or_else(PoisonError::into_inner);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// Reads the file again if another process has changed it; says whether it did.
    pub fn reload(&self) -> Result<bool, KeyError> {
        match &self.file {
            Some(file) if file.changed() => self.adopt(&file.read()?).map(|()| true),
            _ => Ok(false),
        }
    }

    /// Adds a key that takes over: once the published keys have had time to spread, or now.
    /// `longest_life` is that of an access token, leeway included.
    pub fn rotate(&self, at: Seconds, now: bool, longest_life: Seconds) -> Result<(), KeyError> {
        let algorithm = self.newest_algorithm();
        let signs_from = if now { at } else { at.saturating_add(Self::MAX_AGE) };
        self.change(|keys| succeed(keys, algorithm, at, signs_from, longest_life))
    }

    /// Rotates if the newest key is older than `every`; says whether it did.
    pub fn rotate_when_due(
        &self,
        at: Seconds,
        every: Seconds,
        longest_life: Seconds,
    ) -> Result<bool, KeyError> {
        let made_at = self.keys().last().and_then(|key| key.made_at);
        match made_at {
            Some(made_at) if at < made_at.saturating_add(every) => Ok(false),
            Some(_) => self.rotate(at, false, longest_life).map(|()| true),
            // Made before there was a clock to ask: its age counts from now.
            None => self
                .change(|keys| {
                    if let Some(key) = keys.last_mut() {
                        key.made_at = Some(at);
                    }
                    Ok(())
                })
                .map(|()| false),
        }
    }

    /// Forgets a key at once: whatever it signed is worth nothing from now on. If it was the one
    /// that signs, a fresh one takes over now. Says whether there was such a key.
    pub fn drop_key(&self, kid: &str, at: Seconds) -> Result<bool, KeyError> {
        let algorithm = self.newest_algorithm();
        let mut found = false;
        self.change(|keys| {
            let before = keys.len();
            keys.retain(|key| key.kid != kid);
            found = keys.len() < before;
            // One that retires must not sign again: its tokens would outlive it.
            let signs = keys.iter().any(|key| key.signs_from <= at && key.retires_at.is_none());
            if found && !signs {
                let mut fresh = Key::fresh(algorithm, at)?;
                fresh.made_at = Some(at);
                keys.push(fresh);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Makes sure that the key that signs is of an algorithm, from now on.
    pub fn sign_with(
        &self,
        algorithm: Algorithm,
        at: Seconds,
        longest_life: Seconds,
    ) -> Result<(), KeyError> {
        if self.newest_algorithm() == algorithm {
            return Ok(());
        }
        self.change(|keys| succeed(keys, algorithm, at, at, longest_life))
    }

    /// All keys, the oldest first.
    #[must_use]
    pub fn list(&self, at: Seconds) -> Vec<KeyInfo> {
        let signing = self.signing(at).map(|key| key.kid);
        let info = |key: &Key| KeyInfo {
            kid: key.kid.clone(),
            algorithm: key.algorithm().name(),
            signs: signing.as_ref() == Some(&key.kid),
            signs_from: key.signs_from,
            retires_at: key.retires_at,
        };
        self.keys().iter().map(info).collect()
    }

    /// The public keys, as verifiers read them.
    #[must_use]
    pub fn jwks(&self, at: Seconds) -> Value {
        let keys = self.keys();
        let published = keys.iter().filter(|key| key.trusted(at));
        let keys: Vec<Value> = published.filter_map(|key| key.published.clone()).collect();
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

    pub(super) fn signing(&self, at: Seconds) -> Option<Key> {
        let keys = self.keys();
        keys.iter().rev().find(|key| key.signs_from <= at).or_else(|| keys.first()).cloned()
    }

    pub(super) fn verifying(&self, kid: &str, at: Seconds) -> Option<VerifyingKey> {
        self.keys().iter().find(|key| key.kid == kid && key.trusted(at))?.verifying()
    }

    fn newest_algorithm(&self) -> Algorithm {
        self.keys().last().map_or(Algorithm::EdDsa, Key::algorithm)
    }

    fn keys(&self) -> RwLockReadGuard<'_, Vec<Key>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the keys here and in the file; if that fails, nothing is changed.
    fn change(
        &self,
        change: impl FnOnce(&mut Vec<Key>) -> Result<(), KeyError>,
    ) -> Result<(), KeyError> {
        let _guard = self.file.as_ref().map(KeyFile::lock).transpose()?;
        self.reload()?;
        let before = self.keys().clone();
        let mut keys = before.clone();
        change(&mut keys)?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        self.save().inspect_err(|_| {
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = before;
        })
    }

    fn save(&self) -> Result<(), KeyError> {
        match &self.file {
            Some(file) => Ok(file.write(&self.to_bytes()?)?),
            None => Ok(()),
        }
    }

    fn read(text: &[u8]) -> Result<Self, KeyError> {
        let stored: Stored = serde_json::from_slice(text).map_err(|_| KeyError::Unreadable)?;
        let keys: Result<Vec<Key>, KeyError> = stored.keys.iter().map(Key::from_stored).collect();
        let keys = keys?;
        let pepper = URL_SAFE_NO_PAD.decode(stored.pepper.expose());
        if keys.is_empty() || !pepper.is_ok_and(|pepper| pepper.len() == 32) {
            return Err(KeyError::Unreadable);
        }
        Ok(Self { keys: RwLock::new(keys), pepper: stored.pepper, file: None, seal: None })
    }
}

/// Lets a fresh key follow those that there are, and forgets the ones that have retired.
fn succeed(
    keys: &mut Vec<Key>,
    algorithm: Algorithm,
    at: Seconds,
    signs_from: Seconds,
    longest_life: Seconds,
) -> Result<(), KeyError> {
    let mut fresh = Key::fresh(algorithm, signs_from)?;
    fresh.made_at = Some(at);
    keys.retain(|key| key.trusted(at));
    for key in keys.iter_mut().filter(|key| key.retires_at.is_none()) {
        key.retires_at = Some(signs_from.saturating_add(longest_life));
    }
    keys.push(fresh);
    Ok(())
}

/// What may be told about a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyInfo {
    /// Its name.
    pub kid: String,
    /// What it signs with.
    pub algorithm: &'static str,
    /// It is the one that signs now.
    pub signs: bool,
    /// From when on it may sign.
    pub signs_from: Seconds,
    /// From when on nothing that it signed is accepted.
    pub retires_at: Option<Seconds>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(serialize_with = "expose")]
    pepper: Secret,
    keys: Vec<StoredKey>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(ring: &Keyring, at: Seconds) -> usize {
        ring.jwks(at)["keys"].as_array().unwrap().len()
    }

    #[test]
    fn publishes_first_signs_later_and_retires_last() {
        let ring = Keyring::ephemeral().unwrap();
        let old = ring.signing(1_000).unwrap().kid;
        ring.rotate(1_000, false, 300).unwrap();
        assert_eq!(published(&ring, 1_000), 2);
        assert_eq!(ring.signing(1_299).unwrap().kid, old);
        let new = ring.signing(1_300).unwrap().kid;
        assert_ne!(new, old);
        assert!(ring.verifying(&old, 1_599).is_some() && ring.verifying(&old, 1_600).is_none());
        assert_eq!(published(&ring, 1_600), 1);
        ring.rotate(2_000, true, 300).unwrap();
        assert_ne!(ring.signing(2_000).unwrap().kid, new);
    }

    #[test]
    fn rotates_by_itself_when_a_key_is_old_enough() {
        let ring = Keyring::ephemeral().unwrap();
        let due = |at| ring.rotate_when_due(at, 1_000, 300).unwrap();
        assert!(!due(50_000) && !due(50_999) && due(51_000));
        assert_eq!(published(&ring, 51_000), 2);
        assert!(!due(51_999) && due(52_000));
    }

    #[test]
    fn a_key_that_is_dropped_is_gone_at_once_and_another_signs() {
        let ring = Keyring::ephemeral().unwrap();
        let leaked = ring.signing(100).unwrap().kid;
        assert!(!ring.drop_key("no such key", 100).unwrap());
        assert!(ring.drop_key(&leaked, 100).unwrap());
        assert!(ring.verifying(&leaked, 100).is_none());
        assert_ne!(ring.signing(100).unwrap().kid, leaked);
        assert_eq!(published(&ring, 100), 1);

        ring.rotate(200, false, 300).unwrap();
        let waiting = ring.list(200).last().unwrap().kid.clone();
        let signing = ring.signing(200).unwrap().kid;
        assert!(ring.drop_key(&signing, 200).unwrap());
        let now = ring.signing(200).unwrap().kid;
        assert!(now != waiting && now != signing, "one that is not yet due does not sign");

        ring.rotate(1_000, false, 300).unwrap();
        let (old, waiting) = (ring.signing(1_000).unwrap().kid, ring.list(1_000));
        assert!(ring.drop_key(&waiting.last().unwrap().kid, 1_000).unwrap());
        assert_ne!(ring.signing(1_000).unwrap().kid, old, "one that retires signs no more");
    }

    #[test]
    fn signs_with_another_algorithm_only_when_asked_to() {
        let ring = Keyring::ephemeral().unwrap();
        ring.sign_with(Algorithm::EdDsa, 100, 300).unwrap();
        assert_eq!(ring.list(100).len(), 1);
        let old = ring.signing(100).unwrap().kid;
        ring.sign_with(Algorithm::Hs256, 100, 300).unwrap();
        assert_eq!(ring.signing(100).unwrap().algorithm(), Algorithm::Hs256);
        assert_eq!(published(&ring, 399), 1, "the shared secret is not published");
        assert!(ring.verifying(&old, 399).is_some() && ring.verifying(&old, 400).is_none());
        ring.rotate(500, true, 300).unwrap();
        assert_eq!(ring.signing(500).unwrap().algorithm(), Algorithm::Hs256);
    }

    #[test]
    fn keys_of_another_server_are_not_adopted() {
        let (ours, theirs) = (Keyring::ephemeral().unwrap(), Keyring::ephemeral().unwrap());
        let error = ours.adopt(&theirs.to_bytes().unwrap()).unwrap_err();
        assert!(matches!(error, KeyError::OtherPepper));
        let copy = Keyring::from_bytes(&ours.to_bytes().unwrap(), None).unwrap();
        copy.rotate(100, true, 300).unwrap();
        ours.adopt(&copy.to_bytes().unwrap()).unwrap();
        assert_eq!(ours.list(100), copy.list(100));
    }
}
