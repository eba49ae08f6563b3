use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use hmac::Mac;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::verifying_key::mac;
use super::{Algorithm, KeyError, Seconds, VerifyingKey};
use crate::secret::{Secret, random};

/// A key that signs, and when.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) kid: String,
    secret: Signing,
    /// What others verify with; a shared secret is not told.
    pub(super) published: Option<Value>,
    pub(super) signs_from: Seconds,
    pub(super) retires_at: Option<Seconds>,
    pub(super) made_at: Option<Seconds>,
}

#[derive(Clone)]
enum Signing {
    Ed25519(Box<SigningKey>),
    Shared(Zeroizing<[u8; 32]>),
}

impl Key {
    pub(super) fn fresh(algorithm: Algorithm, signs_from: Seconds) -> Result<Self, KeyError> {
        let seed = URL_SAFE_NO_PAD.encode(random::<32>()?).into();
        let alg = (algorithm != Algorithm::EdDsa).then(|| algorithm.name().to_owned());
        let stored = StoredKey { seed, alg, signs_from, retires_at: None, made_at: None };
        Self::from_stored(&stored)
    }

    pub(super) fn from_stored(stored: &StoredKey) -> Result<Self, KeyError> {
        let seed = URL_SAFE_NO_PAD.decode(stored.seed.expose());
        let seed: [u8; 32] =
            seed.ok().and_then(|seed| seed.try_into().ok()).ok_or(KeyError::Unreadable)?;
        let (kid, secret, published) = match stored.alg.as_deref() {
            None | Some("EdDSA") => {
                let signing = SigningKey::from_bytes(&seed);
                let x = URL_SAFE_NO_PAD.encode(signing.verifying_key().as_bytes());
                let kid = thumbprint(&x);
                let public = json!({
                    "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid,
                    "x": x,
                });
                (kid, Signing::Ed25519(Box::new(signing)), Some(public))
            }
            Some("HS256") => {
                let digest = Sha256::new().chain_update(b"kid\0").chain_update(seed).finalize();
                let kid = URL_SAFE_NO_PAD.encode(&digest[..16]);
                (kid, Signing::Shared(seed.into()), None)
            }
            Some(_) => return Err(KeyError::Unreadable),
        };
        let &StoredKey { signs_from, retires_at, made_at, .. } = stored;
        Ok(Self { kid, secret, published, signs_from, retires_at, made_at })
    }

    pub(super) fn to_stored(&self) -> StoredKey {
        let (seed, alg) = match &self.secret {
            Signing::Ed25519(key) => (URL_SAFE_NO_PAD.encode(key.as_bytes()).into(), None),
            Signing::Shared(seed) => {
                (URL_SAFE_NO_PAD.encode(seed.as_slice()).into(), Some("HS256".to_owned()))
            }
        };
        let &Self { signs_from, retires_at, made_at, .. } = self;
        StoredKey { seed, alg, signs_from, retires_at, made_at }
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match &self.secret {
            Signing::Ed25519(_) => Algorithm::EdDsa,
            Signing::Shared(_) => Algorithm::Hs256,
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.secret {
            Signing::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
            Signing::Shared(secret) => mac(secret.as_slice(), message)
                .map(|mac| mac.finalize().into_bytes().to_vec())
                .unwrap_or_default(),
        }
    }

    pub(super) fn verifying(&self) -> Option<VerifyingKey> {
        match &self.secret {
            Signing::Ed25519(key) => Some(VerifyingKey::ed25519(key.verifying_key())),
            Signing::Shared(secret) => VerifyingKey::shared(secret.as_slice()).ok(),
        }
    }

    /// Whether anything signed with it may still be valid.
    pub(super) fn trusted(&self, at: Seconds) -> bool {
        self.retires_at.is_none_or(|retires| at < retires)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// A key as it is kept.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredKey {
    #[serde(serialize_with = "expose")]
    seed: Secret,
    /// Absent for Ed25519.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
    signs_from: Seconds,
    retires_at: Option<Seconds>,
    #[serde(default)]
    made_at: Option<Seconds>,
}

pub(super) fn expose<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
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
    fn a_shared_secret_is_kept_and_not_published() {
        let key = Key::fresh(Algorithm::Hs256, 5).unwrap();
        assert!(key.published.is_none());
        let again = Key::from_stored(&key.to_stored()).unwrap();
        assert_eq!((&again.kid, again.algorithm()), (&key.kid, Algorithm::Hs256));
        assert!(again.verifying().unwrap().verifies(b"m", &key.sign(b"m")));
        assert!(!again.verifying().unwrap().verifies(b"n", &key.sign(b"m")));
    }
}
